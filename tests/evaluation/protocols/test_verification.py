import dataclasses
from pathlib import Path

import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.datasets.pairs import Pairs
from facenet_tf.errors import InputError
from facenet_tf.evaluation import pair_sets
from facenet_tf.evaluation.methods import pair_figures
from facenet_tf.evaluation.protocols import verification
from facenet_tf.evaluation.roster import Vectors

from ..made_up import people_vectors

FARS = (0.5, 0.1, 1e-4)


def made_up(people=6, pictures=5, **options) -> Vectors:
    return people_vectors(people, pictures, size=6, spread=1.0, **options)


def pairs_of(vectors):
    return pair_sets.all_pairs_of_split(vectors.roster, "test", seed=0)


score = pair_sets.ScoredPairs.of


def scored_of(vectors):
    return score(vectors, pairs_of(vectors))


def test_all_pairs_leave_duplicates_out():
    pairs = pairs_of(made_up(duplicate=(3,)))
    assert len(pairs) == 29 * 28 // 2
    assert not np.isin([3], np.concatenate([pairs.left, pairs.right])).any()


def test_all_pairs_are_genuine_within_a_person():
    vectors = made_up()
    pairs = pairs_of(vectors)
    names = vectors.roster.identities
    np.testing.assert_array_equal(pairs.genuine, names[pairs.left] == names[pairs.right])
    assert pairs.genuine.sum() == 6 * 10


def test_of_too_many_pictures_everybody_gives_some(monkeypatch):
    monkeypatch.setattr(pair_sets, "MOST_PICTURES_PAIRED", 17)
    vectors = made_up()
    pairs = pairs_of(vectors)
    rows = np.unique(np.concatenate([pairs.left, pairs.right]))
    assert np.unique(vectors.roster.identities[rows], return_counts=True)[1].tolist() == [2] * 6
    assert "12 pictures of 6 people" in pairs.protocol


@pytest.mark.parametrize(("people", "pictures"), [(1, 5), (5, 1), (1, 1)])
def test_no_pairs_without_both_kinds(people, pictures):
    assert pairs_of(made_up(people, pictures)) is None


def test_ranking_figures_are_those_of_the_metrics():
    vectors = made_up()
    pairs = pairs_of(vectors)
    figures = pair_figures.ranking_figures(score(vectors, pairs), fars=FARS)
    squared = (vectors.values[pairs.left].astype(float) - vectors.values[pairs.right]) ** 2
    curve = metrics.roc_curve(pairs.genuine, squared.sum(axis=1))
    assert figures["auc"] == pytest.approx(metrics.area_under_curve(curve))
    assert figures["tar"]["0.1"] == metrics.operating_point(curve, 0.1).tar
    assert figures["tar"]["0.0001"] is None
    assert figures["tar_points"]["0.0001"]["impostor_pairs"] == 435 - 60


def test_a_pair_with_a_lost_picture_is_rejected_and_an_error_of_a_list():
    whole, holed = made_up(), made_up(lost=(0,))
    pairs = pairs_of(holed)
    distance = score(holed, pairs).distance
    touched = (pairs.left == 0) | (pairs.right == 0)
    assert (distance[touched] == np.inf).all()
    np.testing.assert_allclose(distance[~touched], score(whole, pairs).distance[~touched])
    fixed = pair_figures.fixed_threshold_figures(score(holed, pairs), 0.9, "x", balanced=False)
    right = pairs.genuine == (score(whole, pairs).distance <= 0.9)
    assert fixed["accuracy_mean"] == pytest.approx((right & ~touched).mean())
    rates = pair_figures.fixed_threshold_figures(score(holed, pairs), 0.9, "x", balanced=True)
    accepted, genuine = (score(whole, pairs).distance <= 0.9) & ~touched, pairs.genuine
    expected = (accepted[genuine].mean() + 1 - accepted[~genuine].mean()) / 2
    assert rates["accuracy_mean"] == pytest.approx(expected)


def test_a_list_with_a_lost_picture_has_its_pairs_as_errors_and_its_rates_without_false_accepts():
    holed = made_up(lost=(0,))
    pairs = pairs_of(holed)
    both = np.concatenate([np.flatnonzero(pairs.genuine), np.flatnonzero(~pairs.genuine)[:60]])
    fold = np.arange(120) % 60 // 6
    listed = dataclasses.replace(pairs.where(both), fold=fold).where(np.argsort(fold))
    scored, lost = score(holed, listed), (listed.left == 0) | (listed.right == 0)
    assert lost[listed.genuine].any() and lost[~listed.genuine].any()
    folded = pair_figures.folded_figures(scored, "folds")
    errors = np.array([1 - np.mean(lost[listed.fold == number]) for number in range(10)])
    assert (np.array(folded["accuracy_per_fold"]) <= errors + 1e-9).all()
    grid = pair_figures.grid_figures(scored)
    assert (np.array(grid["accuracy_per_fold"]) <= errors + 1e-9).all()
    curve = metrics.roc_curve(listed.genuine, np.where(lost, np.inf, scored.distance))
    assert grid["auc"] == metrics.area_under_curve(curve)
    assert grid["best_accuracy"] <= errors.mean()


def test_without_lost_is_the_figure_of_the_other_pairs():
    holed = made_up(lost=(0,))
    figures = pair_figures.ranking_figures(scored_of(holed), fars=FARS)
    rest = holed.where(np.arange(30) > 0)
    expected = pair_figures.ranking_figures(scored_of(rest), fars=FARS)
    assert figures["pairs_with_lost_picture"] == 29
    assert figures["pairs_by_outcome"] == {"no_face": 29, "ok": 435}
    assert figures["without_lost"]["auc"] == expected["auc"]
    assert figures["auc"] < expected["auc"]


def test_lost_pictures_make_no_false_accept():
    """Were they false accepts, they alone would be more than a FAR of 0.05 allows."""
    holed = made_up(lost=(0,))
    scored = scored_of(holed)
    figures = pair_figures.ranking_figures(scored, fars=(0.5, 0.1, 0.05))
    point = figures["tar_points"]["0.05"]
    accepted = (scored.distance <= point["threshold"]) & np.isfinite(scored.distance)
    assert point["far"] == pytest.approx(accepted[~scored.pairs.genuine].mean()) and point["far"]
    assert figures["tar"]["0.05"] == pytest.approx(accepted[scored.pairs.genuine].mean())
    assert figures["tar"]["0.05"] > 0
    (said,) = verification.verdict({"verification": {"unseen_people": figures}})
    assert "29 of 435 pairs" in said


@pytest.mark.parametrize(
    ("tars", "far"), [((0.9, 0.6, 0.03), 10), ((0.4, 0.2, 0.03), 50), ((0.9, 0.8, 0.7), 5)]
)
def test_the_verdict_is_of_the_lowest_far_at_which_most_are_recognised(tars, far):
    figures = pair_figures.ranking_figures(scored_of(made_up()), fars=(0.5, 0.1, 0.05))
    figures["tar"] = dict(zip(("0.5", "0.1", "0.05"), tars, strict=True))
    (said,) = verification.verdict({"verification": {"unseen_people": figures}})
    assert f"while {far} % of the pairs of two people" in said


def test_bootstrap_intervals_hold_the_figures():
    vectors = made_up(people=15)
    figures = pair_figures.ranking_figures(scored_of(vectors), fars=FARS, bootstrap=60)
    for name in ("auc", "eer", "d_prime"):
        low, high = figures["bootstrap"][name]
        assert low < figures[name] < high
    assert set(figures["bootstrap"]["tar"]) == {"0.5", "0.1"}


def test_weights_of_others_are_not_called_trained():
    figures = pair_figures.ranking_figures(scored_of(made_up()), fars=FARS)
    results = {
        "verification": {"unseen_people": figures},
        "baselines": {},
        "config": {"fars": FARS},
        "weights": {"source": "dlib"},
    }
    ((pairs, vectors, *_),) = verification.tables(results)[0].rows
    assert (pairs, vectors) == ("test people", "pretrained")
    results["all_pairs"] = {"pairs": figures["pairs"] + 1}
    assert verification.tables(results)[0].rows[0][0] == "test people, some pictures"


def test_every_tar_stands_with_its_interval_and_the_number_of_impostor_pairs():
    scored = scored_of(made_up(people=15, lost=(0,)))
    drawn = pair_figures.ranking_figures(scored, fars=FARS, bootstrap=60)
    plain = pair_figures.ranking_figures(scored, fars=FARS)
    results = {
        "verification": {"unseen_people": drawn},
        "baselines": {"untrained": {"verification": {"unseen_people": plain}}},
        "config": {"fars": FARS},
    }
    first, points = verification.tables(results)
    cells = {(row[0], row[1]): dict(zip(first.head, row, strict=True)) for row in first.rows}
    assert len(cells) == 4 and "TAR@0.0001" not in first.head
    over_people, over_pairs = drawn["bootstrap"]["tar"]["0.1"], plain["tar_points"]["0.1"]
    assert cells["test people", "trained"]["TAR@0.1"] == (
        f"{drawn['tar']['0.1']:.4f} ({over_people[0]:.4f} – {over_people[1]:.4f})"
    )
    low, high = over_pairs["interval"]
    assert cells["test people", "untrained"]["TAR@0.1"] == (
        f"{plain['tar']['0.1']:.4f} ({low:.4f} – {high:.4f}, pairs)"
    )
    assert cells["test people, lost apart", "trained"]["TAR@0.1"].endswith("pairs)")
    assert {cell["of two"] for cell in cells.values()} == {str(14 * 15 * 25 // 2), "2555"}
    assert [row[1] for row in points.rows][-1].startswith("no figure: ")
    assert "Intervals over people: none: people are drawn with --bootstrap" in (
        verification.points_table("plain", plain).protocol
    )


def test_bootstrap_of_two_people_says_why_not():
    vectors = made_up(people=2, seed=1)
    figures = pair_figures.ranking_figures(scored_of(vectors), fars=FARS, bootstrap=9)
    assert "auc" in figures["bootstrap"] or "too few people" in figures["bootstrap"]["skipped"]


def test_listed_pairs_keep_their_order():
    roster = made_up().roster
    listed = Pairs(["p1/007", "p0/000"], ["p1/005", "p2/010"], np.array([True, False]), np.zeros(2))
    pairs = pair_sets.listed_pairs(roster, listed, "list", Path("pairs.txt"))
    assert pairs.left.tolist() == [7, 0]
    assert pairs.right.tolist() == [5, 10]


def test_listed_picture_that_the_dataset_lacks_is_named():
    listed = Pairs(["p1/007"], ["Nobody/1"], np.array([False]), np.zeros(1))
    with pytest.raises(InputError, match=r"pairs\.txt: 1 of 1 pairs.*Nobody/1"):
        pair_sets.listed_pairs(made_up().roster, listed, "list", Path("pairs.txt"))


def test_listed_picture_that_is_paired_with_itself_is_named():
    listed = Pairs(["p1/005", "p1/007"], ["p1/007"] * 2, np.array([True, True]), np.zeros(2))
    with pytest.raises(InputError, match=r"pairs\.txt: p1/007 is paired with itself"):
        pair_sets.listed_pairs(made_up().roster, listed, "list", Path("pairs.txt"))


def test_balanced_accuracy_weighs_both_kinds_alike():
    vectors = made_up()
    pairs = pairs_of(vectors)
    everything = pair_figures.fixed_threshold_figures(
        score(vectors, pairs), 9.0, "x", balanced=True
    )
    assert everything["accuracy_mean"] == 0.5


def test_balanced_accuracy_has_an_interval_over_people():
    scored = scored_of(made_up(people=15))
    found = pair_figures.fixed_threshold_figures(scored, 0.5, "x", balanced=True, bootstrap=60)
    assert "people drawn 60 times or more" in found["accuracy_protocol"]
    low, high = found["accuracy_interval"]
    assert low < found["accuracy_mean"] < high
    without = pair_figures.fixed_threshold_figures(scored, 0.5, "x", balanced=True)
    assert without["accuracy_interval"] is None
    assert without["accuracy_mean"] == found["accuracy_mean"]


def test_folds_may_have_gaps():
    scored = scored_of(made_up())
    folds = np.array([1, 4, 9])[np.arange(len(scored.pairs)) % 3]
    with_folds = dataclasses.replace(scored, pairs=dataclasses.replace(scored.pairs, fold=folds))
    figures = pair_figures.folded_figures(with_folds, "folds")
    right = [
        scored.pairs.genuine[folds == fold] == (scored.distance[folds == fold] <= threshold)
        for fold, threshold in zip((1, 4, 9), figures["thresholds"], strict=True)
    ]
    assert figures["accuracy_per_fold"] == pytest.approx([part.mean() for part in right])
    correct = int(sum(part.sum() for part in right))
    assert figures["accuracy_interval"] == metrics.wilson_interval(correct, len(folds))
