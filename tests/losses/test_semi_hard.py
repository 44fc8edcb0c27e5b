import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import (
    collapsed_loss,
    hard_positive_semi_hard_negative_triplet,
    mean_loss,
    semi_hard_triplet,
)

from .conformance import VECTORS, fixture_rows

BOTH = pytest.mark.parametrize(
    "loss", [semi_hard_triplet, hard_positive_semi_hard_negative_triplet]
)


def on_a_line(loss, *, positives, negatives, **options):
    """Result of the anchor at 0 with others on a line, under a margin that nothing exceeds."""
    rows = np.array([0.0, *positives, *negatives])[:, None]
    labels = np.array([0] * (1 + len(positives)) + [1] * len(negatives))
    result = loss(
        tf.constant(rows, tf.float32), tf.constant(labels), margin=9.0, distance="plain", **options
    )
    return float(result.loss[0]), float(result.weight[0])


@pytest.mark.parametrize("fixture", VECTORS["triplet"])
def test_conformance(fixture):
    """On the circle of equal angles a negative is often as far as the positive, and rounding says
    whether it counts as farther: in float32 not as where the vectors were computed."""
    rows, labels, distance = fixture_rows(fixture)
    result = semi_hard_triplet(
        tf.constant(rows, tf.float32), tf.constant(labels), margin=0.2, distance=distance
    )
    expected = VECTORS["triplet"][fixture]["tfa_semihard"]
    loss = float(mean_loss(result))
    if fixture.startswith("angles"):
        nothing, everything = (with_ties(rows, labels, distance, sign) for sign in (1, -1))
        assert nothing < expected < everything
        assert nothing - 1e-6 <= loss <= everything + 1e-6
    else:
        assert loss == pytest.approx(expected, rel=1e-6)


def with_ties(rows, labels, distance, sign):
    """The loss if no tie counts as farther (sign 1), or if every tie does (-1)."""
    lengths = np.linalg.norm(rows[:, None] - rows[None, :], axis=2)
    lengths = lengths**2 if distance == "squared" else lengths
    losses = []
    for a, p in zip(*np.nonzero(labels[:, None] == labels[None, :]), strict=True):
        negatives = lengths[a][labels != labels[a]]
        farther = negatives[negatives > lengths[a, p] + sign * 1e-9]
        chosen = farther.min() if len(farther) else negatives.max()
        if a != p:
            losses.append(max(0, lengths[a, p] - chosen + 0.2))
    return np.mean(losses)


class TestRule:
    @BOTH
    def test_nearest_that_is_farther(self, loss):
        found = on_a_line(loss, positives=[2.0], negatives=[1.0, -3.0, 5.0])
        assert found == (pytest.approx(2.0 - 3.0 + 9.0), 1)

    @BOTH
    def test_farthest_if_none_is_farther(self, loss):
        found = on_a_line(loss, positives=[4.0], negatives=[1.0, -3.0, 2.0])
        assert found == (pytest.approx(4.0 - 3.0 + 9.0), 1)

    @BOTH
    def test_equally_far_is_not_farther(self, loss):
        rows = tf.constant([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.0, 3.0]])
        rows -= tf.reduce_mean(rows, axis=0)  # small binary fractions: equal to the last bit
        result = loss(rows, tf.constant([0, 0, 1, 1]), margin=9.0, distance="plain")
        assert float(result.loss[0]) == pytest.approx(2.0 - 3.0 + 9.0)

    def test_each_positive_has_its_own_negative(self):
        found = on_a_line(semi_hard_triplet, positives=[1.0, 4.0], negatives=[2.0, 5.0])
        assert found == (pytest.approx(((1 - 2) + (4 - 5)) / 2 + 9), 2)

    def test_hardest_positive_alone(self):
        found = on_a_line(
            hard_positive_semi_hard_negative_triplet, positives=[1.0, 4.0], negatives=[2.0, 6.0]
        )
        assert found == (pytest.approx(4 - 6 + 9), 1)

    @BOTH
    def test_beyond_the_margin_nothing_is_lost(self, loss):
        rows = tf.constant([[0.0], [1.0], [2.0], [3.0]])
        result = loss(rows, tf.constant([0, 0, 1, 1]), margin=0.2, distance="plain")
        assert (float(result.loss[0]), float(result.weight[0])) == (0, 1)


@BOTH
class TestDegenerate:
    @pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3]])
    def test_nothing_to_compare(self, loss, labels):
        rows = tf.constant([[0.0], [1.0], [3.0], [7.0]])
        with tf.GradientTape() as tape:
            tape.watch(rows)
            result = loss(rows, tf.constant(labels))
            value = mean_loss(result)
        np.testing.assert_array_equal(result.weight, 0)
        assert float(value) == 0
        np.testing.assert_array_equal(tape.gradient(value, rows), 0)

    def test_anchor_without_a_positive_does_not_count(self, loss):
        result = loss(tf.constant([[0.0], [1.0], [3.0]]), tf.constant([0, 0, 1]))
        np.testing.assert_array_equal(result.weight, [1, 1, 0])
        assert float(result.loss[2]) == 0

    @pytest.mark.parametrize("margin", [0.2, "soft"])
    def test_collapse(self, loss, margin):
        rows = tf.ones([6, 3])
        with tf.GradientTape() as tape:
            tape.watch(rows)
            value = mean_loss(loss(rows, tf.constant([0, 0, 1, 1, 2, 2]), margin=margin))
        assert float(value) == pytest.approx(collapsed_loss(margin), rel=1e-6)
        np.testing.assert_array_equal(tape.gradient(value, rows), 0)
