import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from facenet_tf.metrics import (
    area_under_curve,
    equal_error_rate,
    operating_point,
    roc_curve,
    supports_far,
    too_few_for_far,
)

from . import twins


def lists_of_pairs():
    """Random lists, most of them with many ties, some with infinite distances."""
    for seed in range(30):
        random = np.random.default_rng([1, seed])
        count = int(random.integers(2, 40))
        genuine = random.random(count) < 0.5
        genuine[:2] = True, False
        distance = random.integers(0, random.integers(1, 30), count) / 7.0
        if seed % 5 == 0:
            distance[random.random(count) < 0.2] = np.inf
            distance[random.random(count) < 0.2] = -np.inf
        yield genuine, distance


@pytest.mark.parametrize(("genuine", "distance"), list(lists_of_pairs()))
class TestAgainstDefinitions:
    def test_points(self, genuine, distance):
        curve = roc_curve(genuine, distance)
        expected = twins.operating_points(genuine, distance)
        np.testing.assert_allclose(np.c_[curve.far, curve.tar], expected)

    def test_auc(self, genuine, distance):
        expected = twins.auc(genuine, distance)
        assert area_under_curve(roc_curve(genuine, distance)) == pytest.approx(expected)

    def test_eer(self, genuine, distance):
        expected = twins.equal_error_rate(genuine, distance)
        assert equal_error_rate(roc_curve(genuine, distance)) == pytest.approx(expected)

    @pytest.mark.parametrize("far", [0.01, 0.1, 0.25, 0.5, 1.0])
    def test_tar_at_far(self, genuine, distance, far):
        point = operating_point(roc_curve(genuine, distance), far)
        assert point.tar == pytest.approx(twins.tar_at_far(genuine, distance, far))
        assert point.far <= far
        assert point.tar == pytest.approx(np.mean((distance <= point.threshold)[genuine])) or (
            point.threshold == -np.inf and point.tar == 0
        )

    def test_weights_are_repetitions(self, genuine, distance):
        times = np.random.default_rng(len(genuine)).integers(0, 4, len(genuine))
        times[:2] = 1
        weighted = roc_curve(genuine, distance, times)
        repeated = roc_curve(np.repeat(genuine, times), np.repeat(distance, times))
        assert area_under_curve(weighted) == pytest.approx(area_under_curve(repeated))
        assert equal_error_rate(weighted) == pytest.approx(equal_error_rate(repeated))
        assert area_under_curve(weighted) == pytest.approx(twins.auc(genuine, distance, times))


def test_agrees_with_scikit_learn():
    random = np.random.default_rng(4)
    genuine = random.random(500) < 0.4
    distance = np.round(random.normal(size=500) - genuine, 1)
    curve = roc_curve(genuine, distance)
    far, tar, thresholds = sklearn_metrics.roc_curve(genuine, -distance, drop_intermediate=False)
    np.testing.assert_allclose(curve.far, far)
    np.testing.assert_allclose(curve.tar, tar)
    np.testing.assert_allclose(curve.thresholds[1:], -thresholds[1:])
    expected = sklearn_metrics.roc_auc_score(genuine, -distance)
    assert area_under_curve(curve) == pytest.approx(expected, abs=1e-12)


class TestDegenerate:
    def test_all_distances_equal_is_chance(self):
        curve = roc_curve([True, True, False], [1.0, 1.0, 1.0])
        assert area_under_curve(curve) == 0.5
        assert equal_error_rate(curve) == 0.5
        assert operating_point(curve, 0.5).tar == 0.0

    def test_perfect_separation(self):
        curve = roc_curve([True, True, False], [0.0, 1.0, 2.0])
        assert area_under_curve(curve) == 1.0
        assert equal_error_rate(curve) == 0.0
        assert operating_point(curve, 1e-3).tar == 1.0

    def test_perfectly_wrong(self):
        curve = roc_curve([True, False], [2.0, 1.0])
        assert area_under_curve(curve) == 0.0
        assert equal_error_rate(curve) == 1.0

    def test_pair_at_the_wrong_infinity_is_an_error_at_every_threshold(self):
        curve = roc_curve([True, True, False, False], [0.1, np.inf, -np.inf, 0.2])
        assert curve.far[1] == 0.5
        assert curve.tar[-2] == 0.5

    @pytest.mark.parametrize("genuine", [[True, True], [False, False]])
    def test_one_kind_of_pair_is_refused(self, genuine):
        with pytest.raises(ValueError, match=r"no (genuine|impostor) pair"):
            roc_curve(genuine, [0.0, 1.0])

    def test_nan_is_refused(self):
        with pytest.raises(ValueError, match="1 distances are NaN"):
            roc_curve([True, False], [0.0, np.nan])

    def test_empty_list_is_refused(self):
        with pytest.raises(ValueError, match="empty"):
            roc_curve([], [])

    def test_lengths_must_match(self):
        with pytest.raises(ValueError, match="one length"):
            roc_curve([True, False], [0.0, 1.0, 2.0])

    def test_labels_must_be_boolean(self):
        with pytest.raises(ValueError, match="booleans"):
            roc_curve([2, 3], [0.0, 1.0])

    @pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf]])
    def test_bad_weights_are_refused(self, weights):
        with pytest.raises(ValueError, match="weights"):
            roc_curve([True, False], [0.0, 1.0], weights)

    def test_weights_that_leave_one_kind_are_refused(self):
        with pytest.raises(ValueError, match="no genuine or no impostor"):
            roc_curve([True, False], [0.0, 1.0], [1.0, 0.0])

    @pytest.mark.parametrize("far", [0.0, -0.1, 1.5, np.nan])
    def test_far_out_of_range_is_refused(self, far):
        with pytest.raises(ValueError, match="FAR"):
            operating_point(roc_curve([True, False], [0.0, 1.0]), far)


@pytest.mark.parametrize(
    ("impostors", "far", "expected"),
    [(10_000, 1e-3, True), (9_999, 1e-3, False), (100, 0.1, True), (99, 0.1, False)],
)
def test_far_needs_ten_expected_false_accepts(impostors, far, expected):
    assert supports_far(impostors, far) is expected


@pytest.mark.parametrize("far", [0.1, 0.07, 1e-3, 1e-6])
def test_the_number_that_a_far_needs_is_the_least_that_carries_it(far):
    told = too_few_for_far(3, far, "unknown probes", "false alarms")
    assert told.startswith("3 unknown probes; 10 expected false alarms ")
    needed = int(told.split()[-1])
    assert supports_far(needed, far)
    assert not supports_far(needed - 1, far)
