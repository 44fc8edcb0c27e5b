"""Differences of systems: a better one is found, equal ones are not told apart."""

import dataclasses

import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.methods.pair_figures import folded_figures
from facenet_tf.evaluation.options.comparison import ComparisonOptions
from facenet_tf.evaluation.pair_sets import ScoredPairs
from facenet_tf.evaluation.protocol import Results
from facenet_tf.evaluation.protocols import comparison
from facenet_tf.evaluation.protocols.comparison import COMPARISON, RANK1
from facenet_tf.metrics.multiple import holm

from ..made_up import measured_of, people_vectors

CONFIG = EvaluateConfig(fars=(0.1, 1e-5), comparison=ComparisonOptions(draws=600))


def system(spread, seed=0):
    """A system that sees the pictures with so much noise; its own turn of the space."""
    found = people_vectors(14, 6, spread=spread, seed=seed)
    turn = np.linalg.qr(np.random.default_rng(seed + 9).normal(size=(8, 8)))[0]
    return dataclasses.replace(found, values=(found.values @ turn).astype(np.float32))


@pytest.fixture(scope="module")
def systems():
    good = system(0.4)
    return {"trained": good, "poor": system(1.0), "twin": dataclasses.replace(good)}


@pytest.fixture(scope="module")
def found(systems):
    first, *others = systems.values()
    measured = measured_of(first, compared=dict(zip(("poor", "twin"), others, strict=True)))
    return comparison.figures(first, measured, CONFIG)


def differences(found, figure):
    return {(one["a"], one["b"]): one for one in found["sets"]["unseen_people"]["figures"][figure]}


def test_values_are_those_of_each_system_alone(systems, found):
    for one in differences(found, "auc").values():
        for side in "ab":
            vectors = systems[one[side]]
            names = vectors.roster.identities
            left, right = metrics.all_pairs(len(names))
            distance = metrics.all_pairs_distances(vectors.values)
            curve = metrics.roc_curve(names[left] == names[right], distance)
            assert one[f"value_{side}"] == pytest.approx(metrics.area_under_curve(curve))


def test_every_system_has_an_interval_of_its_own(found):
    for name, figures in found["sets"]["unseen_people"]["figures"].items():
        for one in figures:
            for side in "ab":
                low, high = one[f"interval_{side}"]
                assert low <= one[f"value_{side}"] <= high and low < high, name


def test_accuracy_of_a_list_is_that_of_its_own_folds(systems):
    first, poor = systems["trained"], systems["poor"]
    poor = dataclasses.replace(poor, values=poor.values.copy())
    poor.values[::7] = np.nan
    measured = measured_of(first, compared={"poor": poor})
    fold = np.random.default_rng(0).integers(0, 4, len(measured.unseen))
    folded = dataclasses.replace(measured.unseen, fold=fold)
    measured = dataclasses.replace(measured, unseen=None, listed=folded, folded=folded)
    found = comparison.figures(first, measured, CONFIG)["sets"]["listed_pairs"]["figures"]
    (one,) = found["accuracy"]
    for side, vectors in (("a", first), ("b", poor)):
        scored = ScoredPairs.of(vectors, folded)
        expected = folded_figures(scored, "its own")["accuracy_mean"]
        assert one[f"value_{side}"] == pytest.approx(expected)


def test_the_better_system_is_found_in_every_figure(found):
    assert set(found["sets"]["unseen_people"]["figures"]) == {
        "accuracy",
        "auc",
        "eer",
        "tar@0.1",
        RANK1,
    }
    for figure in ("auc", "tar@0.1", RANK1):
        one = differences(found, figure)["trained", "poor"]
        assert one["significant"] and one["difference"] > 0
        assert one["interval"][0] <= one["difference"] <= one["interval"][1]
    assert differences(found, "eer")["trained", "poor"]["difference"] < 0


def test_equal_systems_are_not_told_apart(found):
    for figure in found["sets"]["unseen_people"]["figures"]:
        one = differences(found, figure)["trained", "twin"]
        assert abs(one["difference"]) < 0.02 and not one["significant"]


def test_p_values_are_adjusted_for_the_pairs_of_systems(found):
    for figures in found["sets"]["unseen_people"]["figures"].values():
        assert len(figures) == 3
        adjusted = [one["p_adjusted"] for one in figures]
        np.testing.assert_allclose(adjusted, holm([one["p"] for one in figures]))


def test_a_picture_that_one_system_has_no_vector_for_is_its_error(systems):
    first = systems["trained"]
    holed = dataclasses.replace(first, values=first.values.copy())
    holed.values[::7] = np.nan
    measured = measured_of(first, compared={"holed": holed})
    one = differences(comparison.figures(first, measured, CONFIG), "auc")["trained", "holed"]
    assert one["significant"] and one["difference"] > 0.1


def test_of_more_pictures_everybody_gives_some(systems):
    few = dataclasses.replace(CONFIG, comparison=ComparisonOptions(draws=20, pictures=30))
    measured = measured_of(systems["trained"], compared={"poor": systems["poor"]})
    found = comparison.figures(systems["trained"], measured, few)
    unseen = found["sets"]["unseen_people"]
    people = len(np.unique(systems["trained"].roster.identities))
    each = 30 // people
    assert unseen["people"] == people
    assert unseen["pairs"] == people * each * (people * each - 1) // 2


def test_table_verdict_and_plot(systems, found):
    results = Results(CONFIG, measured_of(systems["trained"]), {}, {"comparison": found})
    (table,) = COMPARISON.tables(results.figures)
    assert len(table.rows) == 5 * 3
    assert table.rows[3][:2] == ["AUC", "trained − poor"]
    said = COMPARISON.verdict(results.figures)
    assert said[0].startswith("trained is better than poor")
    assert said[1].startswith("trained and twin cannot be told apart")
    (plot,) = COMPARISON.plots(results)
    assert f"{plot.name}.png" in COMPARISON.files
    shown = [axes for axes in plot.figure.axes if axes.get_visible()]
    titles = ["accuracy over folds", "AUC", "EER", "TAR@0.1", "nearest other picture"]
    assert [axes.get_title() for axes in shown] == titles
    dots = [line for line in shown[1].lines if line.get_marker() == "o"]
    auc = found["sets"]["unseen_people"]["figures"]["auc"]
    assert [dot.get_xdata()[0] for dot in dots] == [one["difference"] for one in auc]


def test_so_few_people_that_nothing_could_be_proved_are_told(systems, found):
    judged = found["sets"]["unseen_people"]
    assert judged["people"] == 14 and judged["least_p"] < 0.05
    assert "too few" not in COMPARISON.tables({"comparison": found})[0].note
    draws = dataclasses.replace(CONFIG, comparison=ComparisonOptions(draws=300))
    names = systems["trained"].roster.identities
    trained, poor = (
        systems[name].where(np.isin(names, np.unique(names)[:5])) for name in ("trained", "poor")
    )
    found = comparison.figures(trained, measured_of(trained, compared={"poor": poor}), draws)
    assert found["sets"]["unseen_people"]["people"] == 5
    judged = found["sets"]["unseen_people"]
    assert judged["least_p"] > 0.05
    note = COMPARISON.tables({"comparison": found})[0].note
    assert "too few" in note and f"{judged['draws_needed']:,} draws or more could" in note
    (said,) = COMPARISON.verdict({"comparison": found})
    assert "5 people and 300 draws are too few to prove any difference of trained and poor" in said
    assert "told apart" not in said


def test_nothing_where_nothing_is_compared(systems):
    first = systems["trained"]
    assert comparison.figures(first, measured_of(first), CONFIG) is None
    alone = first.where(first.roster.identities == "p0")
    measured = measured_of(alone, compared={"x": alone})
    assert "no genuine" in comparison.figures(alone, measured, CONFIG)["skipped"]
