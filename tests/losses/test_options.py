"""Options out of their range, under which a loss would be no number or learn the opposite."""

import pytest
import tensorflow as tf

from facenet_tf.losses import find_loss

from .contract import given

ROWS, LABELS = tf.eye(4, 6), tf.constant([0, 0, 1, 1])
ABOVE = [
    *((name, "scale") for name in ("normface", "cosface", "arcface", "sphereface")),
    *((name, "scale") for name in ("combined_margin", "subcentre_arcface", "adaface", "n_pairs")),
    ("adaface", "concentration"),
    ("supervised_contrastive", "temperature"),
    ("multi_similarity", "alpha"),
    ("multi_similarity", "beta"),
    ("circle", "gamma"),
]


def compute(name, **options):
    loss = find_loss(name)
    tensors = {key: tf.constant(value, tf.float32) for key, value in given(loss).items()}
    if "norms" in tensors:
        tensors["norms"] = tensors["norms"][:4]
    return loss.function(ROWS, LABELS, **tensors, **options)


@pytest.mark.parametrize("value", [0.0, -1, float("nan")])
@pytest.mark.parametrize(("name", "option"), ABOVE)
def test_not_above_zero(name, option, value):
    with pytest.raises(ValueError, match=f"{option} must be above 0, not {value}"):
        compute(name, **{option: value})


@pytest.mark.parametrize(("name", "option"), [("centre", "rate"), ("adaface", "momentum")])
def test_no_fraction(name, option):
    for value in (-0.1, 1.5):
        with pytest.raises(ValueError, match=f"{option} must be from 0 to 1, not {value}"):
            compute(name, **{option: value})
    for value in (0.0, 1):
        compute(name, **{option: value})


def test_a_tensor_may_be_an_option():
    """A schedule inside a compiled step changes it without a new trace."""
    found = compute("supervised_contrastive", temperature=tf.constant(0.1))
    expected = compute("supervised_contrastive", temperature=0.1)
    tf.debugging.assert_near(found.loss, expected.loss)
