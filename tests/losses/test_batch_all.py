import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import batch_all_triplet, collapsed_loss, mean_loss

from .conformance import VECTORS, fixture_rows
from .twin import unit

LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 1])
ROWS = unit(np.random.default_rng(3).normal(size=(10, 4)))


def batch_all(rows, labels, **options):
    return batch_all_triplet(tf.constant(rows, tf.float32), tf.constant(labels), **options)


@pytest.mark.parametrize("fixture", VECTORS["triplet"])
def test_conformance(fixture):
    """Mean over the triplets that are not zero, and what share of all these are."""
    rows, labels, distance = fixture_rows(fixture)
    expected = VECTORS["triplet"][fixture]
    options = {"margin": 0.2, "distance": distance}
    active = batch_all(rows, labels, reduction="active", **options)
    everything = batch_all(rows, labels, **options)
    assert float(mean_loss(active)) == pytest.approx(expected["omoindrot_batch_all"], rel=1e-6)
    share = tf.reduce_sum(active.weight) / tf.reduce_sum(everything.weight)
    assert float(share) == pytest.approx(expected["omoindrot_fraction_positive"], rel=1e-6)


def test_weight_is_the_number_of_triplets():
    same = LABELS[:, None] == LABELS[None, :]
    triplets = (same.sum(axis=1) - 1) * (~same).sum(axis=1)
    np.testing.assert_array_equal(batch_all(ROWS, LABELS).weight, triplets)


def test_reductions_have_one_sum():
    """They differ in the number of triplets alone."""
    sums = {}
    for reduction in ("all", "active"):
        loss, weight = batch_all(ROWS, LABELS, margin=0.2, reduction=reduction)
        sums[reduction] = (loss * weight).numpy(), weight.numpy()
    np.testing.assert_allclose(sums["all"][0], sums["active"][0], rtol=1e-5)
    assert np.all(sums["active"][1] <= sums["all"][1])
    assert sums["active"][1].sum() < sums["all"][1].sum()


@pytest.mark.parametrize("margin", [0.2, "soft"])
def test_collapse(margin):
    rows = tf.constant(np.tile(ROWS[:1], (10, 1)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        loss = mean_loss(batch_all_triplet(rows, tf.constant(LABELS), margin=margin))
    assert float(loss) == pytest.approx(collapsed_loss(margin), rel=1e-6)
    np.testing.assert_array_equal(tape.gradient(loss, rows), 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reduction": "some"}, 'must be "all" or "active"'),
        ({"reduction": "active"}, "goes with a number as margin"),
        ({"margin": "hard"}, "margin must be"),
        ({"distance": "far"}, "choose one of plain"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        batch_all(ROWS, LABELS, **options)
