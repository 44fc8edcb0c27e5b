import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.metrics import (
    many_pairs,
    nearest_impostors,
    reachable_far,
    score_all_pairs,
    tar_intervals,
)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(many_pairs, "TILE", 7)


def pictures(people=9, most=6, *, ties=False, lost=(), seed=0):
    """Embeddings on a line of whole numbers (with ties) or unit vectors, in a mixed order."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(np.arange(people), random.integers(1, most, people)))
    if ties:
        rows = random.integers(0, 4, (len(labels), 2)).astype(float)
    else:
        rows = random.normal(size=(people, 5))[labels] + random.normal(size=(len(labels), 5))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[list(lost)] = np.nan
    return rows, labels


def listed(rows, labels):
    """The same pairs as a list, in the slow way."""
    left, right = metrics.all_pairs(len(labels))
    genuine = labels[left] == labels[right]
    distance = ((rows[left] - rows[right]) ** 2).sum(axis=1)
    return genuine, np.where(np.isnan(distance), np.inf, distance)


CASES = [
    {"seed": seed, "ties": ties, "lost": lost}
    for seed in range(4)
    for ties in (False, True)
    for lost in ((), (0, 5))
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("threads", [1, 3])
def test_figures_are_those_of_the_list_of_all_pairs(case, threads):
    rows, labels = pictures(**case)
    genuine, distance = listed(rows, labels)
    whole = metrics.roc_curve(genuine, distance)
    found = score_all_pairs(rows, labels, threads=threads)
    curve = found.curve()
    assert len(found.genuine) == genuine.sum()
    assert found.impostors == (~genuine).sum()
    assert metrics.area_under_curve(curve) == pytest.approx(metrics.area_under_curve(whole))
    assert metrics.equal_error_rate(curve) == pytest.approx(metrics.equal_error_rate(whole))
    assert metrics.overlap(curve) == pytest.approx(metrics.overlap(whole))
    for far in (0.003, 0.01, 0.1, 0.25, 0.5, 1.0):
        expected = metrics.operating_point(whole, far)
        point = metrics.operating_point(curve, far)
        assert point.tar == expected.tar
        assert point.far <= far
        if case["ties"] and np.isfinite(point.threshold):  # whole numbers: no rounding
            accepted = distance <= point.threshold
            assert accepted[genuine].mean() == pytest.approx(point.tar)
            assert accepted[~genuine].mean() == pytest.approx(point.far)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_separation_and_nearest_pairs(case):
    rows, labels = pictures(**case)
    genuine, distance = listed(rows, labels)
    kept = np.isfinite(distance)
    expected = metrics.separation(genuine[kept], distance[kept])
    found = score_all_pairs(rows, labels, nearest=20)
    assert found.separation.d_prime == pytest.approx(expected.d_prime)
    assert found.lost_impostors == (~genuine & ~kept).sum()
    for most in (5, 20, 300):
        nearest = score_all_pairs(rows, labels, nearest=most).nearest
        impostors = np.sort(distance[~genuine & kept])
        np.testing.assert_allclose(nearest.distance, impostors[:most], atol=1e-12)
        left, right = nearest.left, nearest.right
        assert (labels[left] != labels[right]).all()
        assert len(set(zip(left, right, strict=True))) == len(left)
        again = ((rows[left] - rows[right]) ** 2).sum(axis=1)
        np.testing.assert_allclose(again, nearest.distance, atol=1e-12)


def test_persons_of_the_genuine_pairs():
    rows, labels = pictures(lost=(3,))
    found = score_all_pairs(rows, labels)
    counts = np.bincount(labels)
    of_person = np.bincount(found.genuine_person, minlength=len(counts))
    np.testing.assert_array_equal(of_person, counts * (counts - 1) // 2)
    np.testing.assert_array_equal(found.pictures, counts)


def test_near_duplicates_keep_their_digits():
    """|x|² + |y|² − 2xy of two rows that differ by 1e-9 would be anything but 1e-18."""
    rows = np.array([[1.0, 0.0], [1.0, 1e-9], [0.0, 1.0]])
    found = score_all_pairs(rows, [0, 1, 0], nearest=1)
    assert found.nearest.distance[0] == pytest.approx(1e-18)


def test_float32_rows_are_measured_in_float64():
    rows, labels = pictures()
    rows = rows.astype(np.float32)
    genuine, distance = listed(rows.astype(np.float64), labels)
    np.testing.assert_array_equal(score_all_pairs(rows, labels).genuine, np.sort(distance[genuine]))


@pytest.mark.parametrize(("labels", "kind"), [([0, 0, 0], "impostor"), ([0, 1, 2], "genuine")])
def test_one_kind_of_pair_has_no_curve(labels, kind):
    found = score_all_pairs(np.eye(3), labels)
    assert found.separation is None
    with pytest.raises(ValueError, match=f"no {kind} pair"):
        found.curve()


def test_all_pictures_lost_are_all_rejected():
    found = score_all_pairs(np.full((4, 2), np.nan), [0, 0, 1, 1], nearest=9)
    assert metrics.area_under_curve(found.curve()) == 0.5
    point = metrics.operating_point(found.curve(), 0.9)
    assert (point.tar, point.far) == (0, 0)
    (interval,) = tar_intervals(found, [0, 0, 1, 1], [0.9], draws=20)
    assert interval.threshold == (-np.inf, -np.inf)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="N labels"):
        score_all_pairs(np.eye(3), [0, 1])
    with pytest.raises(ValueError, match="infinite"):
        score_all_pairs([[np.inf], [0.0]], [0, 1])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("lost", [(), (2, 9)])
def test_intervals_are_those_of_curves_drawn_one_by_one(ties, lost):
    rows, labels = pictures(people=14, ties=ties, lost=lost)
    genuine, distance = listed(rows, labels)
    left, right = (labels[side] for side in metrics.all_pairs(len(labels)))
    found = score_all_pairs(rows, labels, nearest=10**6)
    fars = [0.03, 0.15, 0.4, 0.99]
    intervals = tar_intervals(found, labels, fars, draws=90, seed=3)
    random = np.random.default_rng([3, 14])
    tars = []
    for _ in range(90):
        times = np.bincount(random.integers(14, size=14), minlength=14)
        weights = np.where(left == right, times[left], times[left] * times[right])
        curve = metrics.roc_curve(genuine, distance, weights)
        tars.append([metrics.operating_point(curve, far).tar for far in fars])
    with_pairs = len(np.unique(left[genuine]))
    expected = metrics.percentiles(np.array(tars), 14, [with_pairs] * 4)
    for interval, limits in zip(intervals, expected):
        assert interval.tar == pytest.approx(tuple(limits))
        assert interval.threshold[0] <= interval.threshold[1]


def test_the_nearest_pairs_suffice_for_low_fars():
    rows, labels = pictures(people=30, seed=2)
    everything = score_all_pairs(rows, labels, nearest=10**6)
    some = score_all_pairs(rows, labels, nearest=len(everything.nearest) // 5)
    assert reachable_far(everything) == 1
    assert reachable_far(some) == pytest.approx(0.1, rel=0.05)
    far = [0.03]
    assert tar_intervals(some, labels, far) == tar_intervals(everything, labels, far)
    with pytest.raises(ValueError, match="up to a FAR"):
        tar_intervals(some, labels, [0.2])


def test_few_people_have_no_intervals():
    alone = score_all_pairs(np.eye(3), [0, 0, 1], nearest=9)
    with pytest.raises(metrics.TooFewPeople, match="too few people"):
        tar_intervals(alone, [0, 0, 1], [0.5], draws=0)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(("most", "threads"), [(1, 1), (10, 3), (10_000, None)])
def test_the_nearest_impostors_are_those_of_the_list(case, most, threads):
    rows, labels = pictures(**case)
    genuine, distance = listed(rows, labels)
    expected = np.sort(distance[~genuine & np.isfinite(distance)])[:most]
    found = nearest_impostors(rows, labels, most, threads=threads)
    assert found.distance == pytest.approx(expected)
    assert (found.left < found.right).all() and (labels[found.left] != labels[found.right]).all()
    apart = ((rows[found.left] - rows[found.right]) ** 2).sum(axis=1)
    assert found.distance == pytest.approx(apart)
    assert len(set(zip(found.left, found.right, strict=True))) == len(found)
