import numpy as np
import pytest

from facenet_tf.metrics import accuracy_at, best_threshold, contiguous_folds, folded_accuracy

from . import twins


def random_pairs(seed, count=60, levels=20):
    random = np.random.default_rng([2, seed])
    genuine = random.random(count) < 0.5
    genuine[:2] = True, False
    return genuine, random.integers(0, levels, count) / 3.0


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_best_threshold_reaches_the_best_decision(seed, balanced):
    genuine, distance = random_pairs(seed, count=5 + seed, levels=1 + seed)
    threshold, accuracy = best_threshold(genuine, distance, balanced=balanced)
    assert accuracy == pytest.approx(twins.best_accuracy(genuine, distance, balanced))
    if not balanced:
        assert accuracy_at(genuine, distance, threshold) == pytest.approx(accuracy)


def test_threshold_lies_between_the_two_kinds():
    assert best_threshold([True, True, False], [0.1, 0.2, 0.4]) == (pytest.approx(0.3), 1.0)


def test_balanced_threshold_heeds_a_rare_kind():
    genuine = np.array([True] * 2 + [False] * 98)
    distance = np.r_[0.1, 0.5, np.full(5, 0.4), np.linspace(0.6, 2, 93)]
    assert best_threshold(genuine, distance)[0] < 0.4
    assert best_threshold(genuine, distance, balanced=True)[0] > 0.5


def test_neighbouring_floats_are_told_apart():
    low = 1.0
    high = np.nextafter(low, 2)
    threshold, accuracy = best_threshold([True, False], [low, high])
    assert accuracy == 1.0
    assert low <= threshold < high


def test_infinite_distances_do_not_move_the_threshold():
    genuine, distance = [True, False, True, False], [0.1, 0.3, np.inf, -np.inf]
    threshold, accuracy = best_threshold(genuine, distance)
    assert threshold == pytest.approx(0.2)
    assert accuracy == 0.5


def test_only_infinite_distances_are_all_errors():
    assert best_threshold([True, False], [np.inf, -np.inf])[1] == 0.0


def test_one_kind_alone_can_be_all_right():
    assert best_threshold([False, False], [0.1, 0.2])[1] == 1.0
    assert best_threshold([True, True], [0.1, 0.2])[1] == 1.0


def test_folds_are_scored_with_thresholds_of_the_others():
    genuine, distance = random_pairs(3)
    fold = np.arange(60) % 4
    result = folded_accuracy(genuine, distance, fold)
    for number in range(4):
        others = fold != number
        threshold, _ = best_threshold(genuine[others], distance[others])
        expected = np.mean(genuine[~others] == (distance[~others] <= threshold))
        assert result.per_fold[number] == pytest.approx(expected)
    assert result.sem == pytest.approx(np.std(result.per_fold, ddof=1) / 2)


def test_held_out_fold_has_no_part_in_its_threshold():
    genuine, distance = random_pairs(5)
    fold = np.arange(60) % 3
    before = folded_accuracy(genuine, distance, fold).thresholds[0]
    moved = np.where(fold == 0, distance + 10, distance)
    assert folded_accuracy(genuine, moved, fold).thresholds[0] == before


def test_one_fold_is_refused():
    with pytest.raises(ValueError, match="two folds"):
        folded_accuracy([True, False], [0.0, 1.0], [0, 0])


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        best_threshold([True, False], [0.0, np.nan])
    with pytest.raises(ValueError, match="NaN"):
        accuracy_at([True, False], [0.0, np.nan], 0.5)


def test_contiguous_folds_of_view_2_are_its_own():
    genuine = np.tile(np.repeat([True, False], 300), 10)
    np.testing.assert_array_equal(contiguous_folds(genuine), np.repeat(np.arange(10), 600))


def test_contiguous_folds_mix_both_kinds():
    genuine = np.repeat([True, False], [500, 498])
    fold = contiguous_folds(genuine)
    for kind in (genuine, ~genuine):
        counts = np.bincount(fold[kind])
        assert len(counts) == 10
        assert counts.max() - counts.min() <= 1
        assert (np.diff(fold[kind]) >= 0).all()


def test_too_few_pairs_for_the_folds_are_refused():
    with pytest.raises(ValueError, match="10 folds"):
        contiguous_folds([True] * 9 + [False] * 20)
