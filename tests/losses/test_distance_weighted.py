import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from facenet_tf.losses import distance_weighted_triplet, mean_loss

from .twins.triplets import draw_probabilities

COPIES, SEEDS = 40, 3
NEAR_AND_FAR = [0.2, 0.4, 0.6, 0.8, 1.0, 1.1, 1.2, 1.3, 1.39, 1.45, 1.7]


def around_an_anchor(distances, size=5, copies=2):
    """Copies of an anchor, and one unit row, each a class of its own, at each distance from it."""
    angles = np.append(np.zeros(copies), 2 * np.arcsin(np.array(distances) / 2))
    rows = np.zeros((len(angles), size))
    rows[:, 0], rows[:, 1] = np.cos(angles), np.sin(angles)
    return rows, np.append(np.zeros(copies, int), 1 + np.arange(len(distances)))


def drawn(distances, size=5, **options):
    """How often each row is drawn, and how often the twin expects it, over all pairs and seeds.

    Each draw adds a gradient of length 1 to the row that is drawn.
    """
    rows, labels = around_an_anchor(distances, size, COPIES)
    counts = 0
    for seed in range(SEEDS):
        embeddings = tf.constant(rows, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(embeddings)
            result = distance_weighted_triplet(
                embeddings, tf.constant(labels), seed=tf.constant([5, seed]), margin=9.0, **options
            )
            total = tf.reduce_sum(result.loss * result.weight)
        gradient = tape.gradient(total, embeddings).numpy()
        counts += np.linalg.norm(gradient[COPIES:], axis=1)
    np.testing.assert_allclose(counts, counts.round(), atol=0.01)
    assert counts.sum() == pytest.approx(SEEDS * COPIES * (COPIES - 1), rel=1e-5)
    probabilities = draw_probabilities(rows, labels, 0, **options)[COPIES:]
    return counts.round(), counts.round().sum() * probabilities


class TestDistribution:
    @pytest.mark.parametrize(
        "options", [{}, {"cutoff": 0.9, "nonzero_loss_cutoff": 1.25}], ids=["paper", "other"]
    )
    def test_by_the_density_of_distances(self, options):
        counts, expected = drawn(NEAR_AND_FAR, **options)
        possible = expected > 0
        assert 0 < possible.sum() < len(possible)
        assert expected.max() > 1.5 * expected[possible].min()
        np.testing.assert_array_equal(counts[~possible], 0)
        assert scipy.stats.chisquare(counts[possible], expected[possible]).pvalue > 1e-3

    def test_alike_if_all_are_too_far(self):
        counts, expected = drawn([1.45, 1.5, 1.6, 1.7])
        np.testing.assert_allclose(expected, expected[0])
        assert scipy.stats.chisquare(counts).pvalue > 1e-3

    def test_alike_at_high_dimension_below_the_cutoff(self):
        """At D = 512 the weight of a distance of 1.3 is some 200 powers of ten smaller."""
        counts, _ = drawn([0.2, 0.4, 1.3], size=512)
        assert counts[2] == 0
        assert scipy.stats.chisquare(counts[:2]).pvalue > 1e-3


def test_a_seed_says_all():
    rows, labels = around_an_anchor([1.45, 1.5, 1.6, 1.7])
    rows, labels = tf.constant(rows, tf.float32), tf.constant(labels)

    def value(*seed):
        result = distance_weighted_triplet(rows, labels, seed=tf.constant(seed), margin="soft")
        return float(mean_loss(result))

    assert value(1, 2) == value(1, 2)
    assert len({value(1, number) for number in range(12)}) > 3


def test_anchor_without_a_positive_does_not_count():
    rows, labels = around_an_anchor([1.0])
    result = distance_weighted_triplet(
        tf.constant(rows, tf.float32), tf.constant(labels), seed=tf.constant([1, 2])
    )
    np.testing.assert_array_equal(result.weight, [1, 1, 0])
    assert float(result.loss[2]) == 0


@pytest.mark.parametrize("cutoffs", [(0.0, 1.4), (1.5, 1.4), (0.5, 2.1)])
def test_wrong_cutoffs_are_refused(cutoffs):
    with pytest.raises(ValueError, match="0 < cutoff < nonzero_loss_cutoff <= 2"):
        distance_weighted_triplet(
            tf.ones([2, 3]),
            tf.constant([0, 1]),
            seed=tf.constant([1, 2]),
            cutoff=cutoffs[0],
            nonzero_loss_cutoff=cutoffs[1],
        )
