import numpy as np
import pytest
from scipy.stats import binom

from facenet_tf.metrics import (
    area_under_curve,
    best_threshold,
    bootstrap_identities,
    contiguous_folds,
    equal_error_rate,
    folded_accuracy,
    operating_point,
    p_value,
    paired_bootstrap,
    percentiles,
    roc_curve,
)
from facenet_tf.metrics.paired import differences_of


def two_systems(people=15, pictures=5, noise=0.5, seed=0):
    """Distances of a system and of one that sees the same through more noise."""
    random = np.random.default_rng(seed)
    identity = np.repeat(np.arange(people), pictures)
    left, right = np.triu_indices(len(identity), 1)
    genuine = identity[left] == identity[right]
    better = random.normal(size=len(left)) - 1.5 * genuine
    worse = better + noise * random.normal(size=len(left))
    return better, worse, genuine, identity[left], identity[right]


def test_a_better_system_is_found_better():
    better, worse, *pairs = two_systems(noise=1.5)
    found = paired_bootstrap(better, worse, *pairs, draws=60)
    assert list(found) == ["accuracy", "auc", "eer", "tar@0.1", "tar@0.01"]
    for name, figure in found.items():
        assert figure.difference == figure.a - figure.b
        sign = -1 if name == "eer" else 1
        assert sign * figure.difference > 0
    auc = found["auc"]
    assert auc.interval[0] > 0
    # The least that 60 draws of 15 people can give.
    assert auc.p_value == pytest.approx(p_value(np.ones(60), 15))


def test_the_same_system_twice_differs_in_nothing():
    better, _, *pairs = two_systems()
    for figure in paired_bootstrap(better, np.exp(better), *pairs, draws=20).values():
        assert figure.difference == pytest.approx(0)
        assert figure.interval == pytest.approx((0, 0))
        assert figure.p_value == 1


def test_one_system_without_an_error_is_not_better_for_certain():
    perfect, _, genuine, left, right = two_systems(people=12)
    perfect = perfect - 100 * genuine
    one_wrong = np.where(genuine & (left == 0), 100, perfect)
    for sign, pair in ((1, (perfect, one_wrong)), (-1, (one_wrong, perfect))):
        found = paired_bootstrap(*pair, genuine, left, right, draws=400)["tar@0.1"]
        low, high = sorted(sign * limit for limit in found.interval)
        assert low == pytest.approx(-(1 - 0.025 ** (1 / 12))) and high > 0.1
        assert found.p_value > 0.05


def test_exchanged_systems_change_the_sign():
    better, worse, *pairs = two_systems()
    one = paired_bootstrap(better, worse, *pairs, draws=30)
    other = paired_bootstrap(worse, better, *pairs, draws=30)
    for name, figure in one.items():
        assert other[name].difference == -figure.difference
        assert other[name].interval == pytest.approx((-figure.interval[1], -figure.interval[0]))
        assert other[name].p_value == figure.p_value


def test_figures_and_draws_are_those_of_curves_drawn_one_by_one():
    better, worse, genuine, left, right = two_systems(people=12)
    found = paired_bootstrap(better, worse, genuine, left, right, seed=4, draws=25)

    def figures(distance, weights):
        curve = roc_curve(genuine, distance, weights)
        tar = operating_point(curve, 0.1).tar
        return np.array([area_under_curve(curve), equal_error_rate(curve), tar])

    random = np.random.default_rng([4, 12])
    drawn = []
    for _ in range(25):
        times = np.bincount(random.integers(12, size=12), minlength=12)
        weights = np.where(left == right, times[left], times[left] * times[right])
        drawn.append(figures(better, weights) - figures(worse, weights))
    bounds = percentiles(np.array(drawn), 12)
    whole = figures(better, None) - figures(worse, None)
    for row, name in enumerate(("auc", "eer", "tar@0.1")):
        assert found[name].difference == pytest.approx(whole[row])
        assert found[name].interval == pytest.approx(tuple(bounds[row]))


def test_accuracy_is_that_of_thresholds_which_other_pairs_chose():
    better, worse, genuine, left, right = two_systems()
    found = paired_bootstrap(better, worse, genuine, left, right, draws=10)["accuracy"]
    fold = contiguous_folds(genuine, 10)
    right_ones = np.empty(len(genuine), bool)
    for number in range(10):
        rest = fold != number
        threshold, _ = best_threshold(genuine[rest], better[rest], balanced=True)
        right_ones[~rest] = genuine[~rest] == (better[~rest] <= threshold)
    expected = (right_ones[genuine].mean() + right_ones[~genuine].mean()) / 2
    assert found.a == pytest.approx(expected)


def test_accuracy_of_a_list_with_folds_is_its_own():
    better, worse, genuine, left, right = two_systems()
    fold = np.random.default_rng(1).integers(3, 7, len(genuine))  # any numbers, in any order
    given = better, worse, genuine, left, right
    found = paired_bootstrap(*given, draws=10, fold=fold)["accuracy"]
    assert found.a == pytest.approx(folded_accuracy(genuine, better, fold).mean)
    assert found.b == pytest.approx(folded_accuracy(genuine, worse, fold).mean)
    assert found.a != paired_bootstrap(*given, draws=10)["accuracy"].a
    with pytest.raises(ValueError, match="fold"):
        paired_bootstrap(*given, draws=10, fold=fold[1:])


def test_each_system_has_the_interval_that_it_has_alone():
    better, worse, genuine, left, right = two_systems(people=12)
    found = paired_bootstrap(better, worse, genuine, left, right, seed=4, draws=100)

    def figures(curve):
        return [area_under_curve(curve), operating_point(curve, 0.1).tar]

    for side, distance in (("a", better), ("b", worse)):
        alone = bootstrap_identities(
            genuine, distance, (left, right), figures, draws=100, seed=4, about=[3, 1]
        )
        for row, name in enumerate(("auc", "tar@0.1")):
            interval = getattr(found[name], f"interval_{side}")
            assert interval == pytest.approx(tuple(alone[row]))


def equal_systems(seed, people=16, pictures=2):
    """Two systems that err alike often, each for other people and other pairs."""
    base, _, genuine, left, right = two_systems(people, pictures, seed=seed)
    random = np.random.default_rng([9, seed])
    distances = []
    for _ in range(2):
        hard, common = 0.7 * random.normal(size=people), 0.5 * random.normal(size=people)
        of_people = np.where(genuine, hard[left], common[left] + common[right])
        distances.append(base + of_people + random.normal(size=len(base)))
    return *distances, genuine, left, right


def test_of_100_comparisons_of_equally_good_systems_about_5_find_a_difference():
    """That is, no more than chance makes of 5 %; in some figures there are fewer, as pairs that
    have nothing to do with their people are counted too heavily. Accuracy may have 8, as it says:
    its thresholds are taken as they are. The draws are so many that one in them
    is just significant. (`test_resampling` has many more comparisons of a plainer kind.)"""
    simulations = 120
    found = [
        paired_bootstrap(*equal_systems(seed), seed=seed, draws=72, fars=[0.1])
        for seed in range(simulations)
    ]
    for name, level in {"accuracy": 0.08, "auc": 0.05, "eer": 0.05, "tar@0.1": 0.05}.items():
        most = binom.ppf(0.975, simulations, level)
        assert sum(one[name].p_value <= 0.05 for one in found) <= most, name
        assert sum(one[name].p_value <= 0.5 for one in found) > 0.25 * simulations, name


def test_tars_that_too_few_pairs_carry_are_left_out():
    better, worse, *pairs = two_systems(people=4, pictures=5)
    assert "tar@0.01" not in paired_bootstrap(better, worse, *pairs, draws=10)


def test_people_of_every_pair_are_needed():
    better, worse, genuine, left, right = two_systems(people=4)
    with pytest.raises(ValueError, match="length"):
        paired_bootstrap(better, worse, genuine, left[:-1], right[:-1])
    with pytest.raises(ValueError, match="length"):
        paired_bootstrap(better, worse[:-1], genuine, left, right)
    with pytest.raises(ValueError, match="NaN"):
        paired_bootstrap(better, np.where(genuine, np.nan, worse), genuine, left, right)
    with pytest.raises(ValueError, match="too few people"):
        paired_bootstrap([0.0, 1.0], [0.0, 1.0], [True, False], [0, 1], [0, 2])


def test_systems_without_an_error_are_no_proof_that_there_is_no_difference():
    values = np.array([1.0, 0.8, 1.0, 0.8])
    drawn = np.array([[1.0, 0.7, 1.0, 0.7], [1.0, 0.9, 1.0, 0.9]] * 20)
    perfect, equal = differences_of(values, drawn, 10, [10, 10])
    beyond = 1 - 0.025 ** (1 / 10)
    assert perfect.interval == pytest.approx((-beyond, beyond))
    assert equal.interval == (0, 0), "their errors are the same ones"
