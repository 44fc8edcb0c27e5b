import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from facenet_tf.losses import distance_weighted_triplet, mean_loss

from .twins.triplets import draw_probabilities

SEEDS = 3000
NEAR_AND_FAR = [0.2, 0.4, 0.6, 0.8, 1.0, 1.1, 1.2, 1.3, 1.39, 1.45, 1.7]


def around_an_anchor(distances, size=5):
    """An anchor, its positive, and one unit row of another class at each distance from it."""
    angles = 2 * np.arcsin(np.array([0.7, *distances]) / 2)
    rows = np.zeros((1 + len(angles), size))
    rows[0, 0] = 1
    rows[1:, 0], rows[1:, 1] = np.cos(angles), np.sin(angles)
    return rows, np.array([0, 0, *[1] * len(distances)])


def drawn(distances, size=5, **options):
    """How often each negative of the first anchor is drawn, from its loss under many seeds."""
    rows, labels = around_an_anchor(distances, size)

    @tf.function
    def losses(seeds):
        def of_seed(seed):
            result = distance_weighted_triplet(
                tf.constant(rows, tf.float32),
                tf.constant(labels),
                seed=seed,
                margin=9.0,
                **options,
            )
            return result.loss[0]

        return tf.map_fn(of_seed, seeds, fn_output_signature=tf.float32)

    seeds = np.stack([np.full(SEEDS, 5), np.arange(SEEDS)], axis=1).astype(np.int32)
    found = 0.7 + 9.0 - losses(tf.constant(seeds)).numpy()
    nearest = np.abs(found[:, None] - np.array(distances)).argmin(axis=1)
    np.testing.assert_allclose(found, np.array(distances)[nearest], atol=1e-4)
    probabilities = draw_probabilities(rows, labels, 0, **options)[2:]
    return np.bincount(nearest, minlength=len(distances)), probabilities


class TestDistribution:
    @pytest.mark.parametrize(
        "options", [{}, {"cutoff": 0.9, "nonzero_loss_cutoff": 1.25}], ids=["paper", "other"]
    )
    def test_by_the_density_of_distances(self, options):
        counts, probabilities = drawn(NEAR_AND_FAR, **options)
        possible = probabilities > 0
        assert 0 < possible.sum() < len(possible)
        assert probabilities.max() > 1.5 * probabilities[possible].min()
        np.testing.assert_array_equal(counts[~possible], 0)
        test = scipy.stats.chisquare(counts[possible], SEEDS * probabilities[possible])
        assert test.pvalue > 1e-3

    def test_alike_if_all_are_too_far(self):
        counts, probabilities = drawn([1.45, 1.5, 1.6, 1.7])
        np.testing.assert_allclose(probabilities, 0.25)
        assert scipy.stats.chisquare(counts).pvalue > 1e-3

    def test_alike_at_high_dimension_below_the_cutoff(self):
        """At D = 512 the weight of a distance of 1.3 is some 200 powers of ten smaller."""
        counts, _ = drawn([0.2, 0.4, 1.3], size=512)
        assert counts[2] == 0
        assert scipy.stats.chisquare(counts[:2]).pvalue > 1e-3


def test_pairs_draw_independently():
    """Anchors with two positives: both pairs draw the same negative about as often as chance."""
    rows, labels = around_an_anchor([1.45, 1.5, 1.6, 1.7])
    same = 0
    for number in range(60):
        rows_twice = tf.constant(np.concatenate([rows, rows[1:2]]), tf.float32)
        result = distance_weighted_triplet(
            rows_twice, tf.constant([*labels, 0]), seed=tf.constant([number, 0]), margin=9.0
        )
        assert float(result.weight[0]) == 2
        mean_distance = 0.7 + 9.0 - float(result.loss[0])
        same += min(abs(mean_distance - each) for each in (1.45, 1.5, 1.6, 1.7)) < 1e-4
    assert 3 <= same <= 35  # 1 in 4 by chance, and (1.5 + 1.7) / 2 looks like 1.6


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
