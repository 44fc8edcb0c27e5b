"""What holds for all changes: 0 leaves crops alone, and draws depend on nothing but their key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.draws import draw, drawn_apart, names_of
from facenet_tf.input_pipeline.transforms import Variation

from .augmented import COUNT, CROP, NOTHING, SIDE, STRENGTHS, run

EVERYTHING = dict.fromkeys(NOTHING, 0.2) | {"rotation": 10.0, "hue": 20.0}
FULL = dict.fromkeys(NOTHING, 0.9) | {"rotation": 10.0, "hue": 20.0}
APART = drawn_apart(STRENGTHS)


def numbers(options: Sequence[str]) -> dict[str, np.ndarray]:
    """The draws by name."""
    return dict(zip(names_of(options), draw(options, COUNT, 1, 2).numpy().T, strict=True))


def test_off_leaves_the_crops_alone(pictures: np.ndarray) -> None:
    strong = Augmentation(**FULL, enabled=False)
    varied = Variation(strong, CROP).vary(tf.constant(pictures), seed=0, step=0)
    np.testing.assert_array_equal(varied, pictures)


def test_no_strength_leaves_the_crops_alone(pictures: np.ndarray) -> None:
    np.testing.assert_array_equal(run(pictures), pictures)
    np.testing.assert_array_equal(run(pictures[..., :1]), pictures[..., :1])


@pytest.mark.parametrize("width", [SIDE, SIDE - 8], ids=["square", "narrow"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_strength_changes_some_crops_the_same_way_each_time(
    pictures: np.ndarray, strength: str, channels: int, width: int
) -> None:
    crops = pictures[:, :, :width, :channels]
    changed = run(crops, **{strength: FULL[strength]})
    assert changed.shape == crops.shape and changed.dtype == np.uint8
    np.testing.assert_array_equal(changed, run(crops, **{strength: FULL[strength]}))
    if channels == 3 or strength not in ("saturation", "grey", "hue"):
        assert (changed != crops).any((1, 2, 3)).mean() > 0.5


def test_strengths_do_not_disturb_each_other(pictures: np.ndarray) -> None:
    flipped = run(pictures, flip=0.5)
    both = run(pictures, flip=0.5, brightness=0.1)
    np.testing.assert_array_equal(both, run(flipped, brightness=0.1))


@pytest.mark.parametrize("strength", APART)
def test_draws_of_one_strength_leave_those_of_the_others_alone(strength: str) -> None:
    everything = numbers(APART)
    for options in ([strength], [name for name in APART if name != strength]):
        for name, values in numbers(options).items():
            np.testing.assert_array_equal(values, everything[name], err_msg=name)


def test_no_two_names_share_their_numbers() -> None:
    rows = np.stack(list(numbers([*APART, "mixup"]).values()))
    correlation = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlation).max() < 0.35


def test_the_first_draws_are_as_they_always_were() -> None:
    """Runs of before have them: twelve columns of one matrix."""
    expected = tf.random.stateless_uniform([COUNT, 12], [1, 2], alg="philox").numpy()
    found = numbers([])
    names = "flip rotation scale shift_x shift_y brightness contrast saturation grey cutout"
    assert list(found) == [*names.split(), "cutout_x", "cutout_y"]
    np.testing.assert_array_equal(np.stack(list(found.values()), axis=1), expected)


def test_keyed_by_seed_step_and_position_alone(pictures: np.ndarray) -> None:
    whole = run(pictures, **EVERYTHING)
    np.testing.assert_array_equal(whole, run(pictures, **EVERYTHING))
    np.testing.assert_array_equal(whole[:3], run(pictures[:3], **EVERYTHING))
    one = run(np.repeat(pictures[:1], COUNT, 0), **EVERYTHING)
    np.testing.assert_array_equal(one[0], whole[0])
    assert len({picture.tobytes() for picture in one}) == COUNT
    assert (whole != run(pictures, seed=2, **EVERYTHING)).any()
    assert (whole != run(pictures, step=3, **EVERYTHING)).any()
    # Two numbers, not their sum or a mix of them.
    assert (run(pictures, seed=2, step=1, **EVERYTHING) != whole).any()
