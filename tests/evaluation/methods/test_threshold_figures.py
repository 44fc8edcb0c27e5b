"""Thresholds of some made-up people on others."""

import json

import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.evaluation.methods.threshold_figures import (
    achieved,
    calibrate,
    of_records,
    overall_thresholds,
)
from facenet_tf.evaluation.pair_sets import ScoredPairs, all_pairs_of_split
from facenet_tf.thresholds import Thresholds

from ..made_up import people_vectors

FARS = (0.2, 0.05, 1e-5)


def pairs_of(seed, people=12, lost=(), spread=1.0):
    vectors = people_vectors(people, 6, seed=seed, spread=spread, lost=lost)
    return ScoredPairs.of(vectors, all_pairs_of_split(vectors.roster, "test", 0))


def calibrated(scored, draws=30):
    dataset = {"name": "n", "fingerprint": "f"}
    return calibrate(scored, fars=FARS, draws=draws, seed=0, model_sha256="s", dataset=dataset)


def test_each_threshold_keeps_its_far_on_the_impostors_that_chose_it():
    scored = pairs_of(1)
    found = calibrated(scored)
    genuine = scored.pairs.genuine
    for far in FARS[:2]:
        point = found.points[str(far)]
        assert point["far"] == np.mean(scored.distance[~genuine] <= point["threshold"]) <= far
        assert point["tar"] == np.mean(scored.distance[genuine] <= point["threshold"])
        low, high = point["threshold_interval"]
        assert low <= point["threshold"] <= high
        assert point["interval_over"] == "people"
    assert "expected false accepts" in found.points["1e-05"]["skipped"]
    best = metrics.best_threshold(genuine, scored.distance, balanced=True)[0]
    assert found.balanced == best
    assert found.dataset["people"] == 12
    assert found.dataset["impostor_pairs"] == (~genuine).sum()


def test_lost_pictures_choose_nothing():
    """They never come to a comparison."""
    holed, whole = pairs_of(1, lost=(0, 7)), pairs_of(1)
    rows = np.isin(whole.pairs.left, (0, 7)) | np.isin(whole.pairs.right, (0, 7))
    assert calibrated(holed, 0).points == calibrated(whole.where(~rows), 0).points
    assert len(of_records(holed).pairs) == (~rows).sum()
    assert calibrated(holed).dataset["pictures"] == 70


def test_without_draws_intervals_are_over_pairs():
    assert calibrated(pairs_of(1), draws=0).points["0.2"]["interval_over"] == "pairs"


def test_two_people_choose_a_threshold_without_an_interval_over_people():
    """A draw of one of them twice has no impostor pair."""
    kinds = set()
    for seed in range(8):
        scored = pairs_of(seed, people=2)
        found = calibrate(
            scored, fars=(0.5,), draws=1, seed=seed, model_sha256="", dataset={}
        ).points["0.5"]
        assert found["far"] <= 0.5
        kinds.add(found["interval_over"])
    assert kinds == {"people", "pairs"}


def test_achieved_is_counted_on_the_others_lost_pictures_included():
    thresholds, others = calibrated(pairs_of(1)), pairs_of(2, lost=(3,))
    found = achieved(thresholds, {"others": others}, draws=20, seed=0)["others"]
    assert set(found) == {"0.05", "0.2"}
    for far, rates in found.items():
        threshold = thresholds.at(float(far))
        genuine = others.pairs.genuine
        assert rates["threshold"] == threshold
        assert rates["far"] == pytest.approx(np.mean(others.distance[~genuine] <= threshold))
        assert rates["tar"] == pytest.approx(np.mean(others.distance[genuine] <= threshold))
        assert rates["far_interval"][0] <= rates["far"] <= rates["far_interval"][1]
    lost = np.isinf(others.distance)
    assert (others.distance[lost] == np.inf).all() and lost[~others.pairs.genuine].any()


def test_rates_without_lost_pictures_stand_beside():
    thresholds, holed, whole = calibrated(pairs_of(1)), pairs_of(2, lost=(3,)), pairs_of(2)
    found = achieved(thresholds, {"x": holed}, draws=20, seed=0)["x"]
    rest = whole.where((whole.pairs.left != 3) & (whole.pairs.right != 3))
    expected = achieved(thresholds, {"x": rest}, draws=20, seed=0)["x"]
    assert {far: rates["without_lost"] for far, rates in found.items()} == expected
    assert found["0.2"]["tar"] < expected["0.2"]["tar"]
    assert "without_lost" not in achieved(thresholds, {"x": whole}, draws=0, seed=0)["x"]["0.2"]


def test_those_who_steered_are_counted_among_those_who_chose():
    scored = pairs_of(1)
    found = calibrate(
        scored,
        fars=(0.2,),
        draws=0,
        seed=0,
        model_sha256="",
        dataset={},
        steered=["p1", "p3", "somebody else"],
    )
    assert found.dataset["steered_people"] == 2


def test_overall_thresholds_give_their_far_on_the_same_pairs():
    scored = pairs_of(1)
    impostors = scored.distance[~scored.pairs.genuine]
    found = overall_thresholds(scored, FARS)
    assert set(found) == {"0.2", "0.05"}
    for far, threshold in found.items():
        share = np.mean(impostors <= threshold)
        assert float(far) - 2 / len(impostors) < share <= float(far)


def test_people_who_lie_closer_are_accepted_more_often_than_asked():
    thresholds = calibrated(pairs_of(1, people=30))
    like = achieved(thresholds, {"x": pairs_of(2, people=30)}, draws=0, seed=0)["x"]["0.05"]
    close = pairs_of(3, people=30)
    near = ScoredPairs(close.roster, close.pairs, close.distance / 2)
    other = achieved(thresholds, {"x": near}, draws=0, seed=0)["x"]["0.05"]
    assert abs(like["far"] - 0.05) < 0.03
    assert other["far"] > 0.1


def test_two_people_are_enough_for_rates_without_intervals():
    thresholds = calibrated(pairs_of(1))
    found = achieved(thresholds, {"x": pairs_of(2, people=2)}, draws=10, seed=0)["x"]["0.2"]
    assert 0 <= found["far"] <= 1


@pytest.mark.parametrize("scored", [None, pairs_of(1).where(np.zeros(72 * 71 // 2, bool))])
def test_nobody_to_choose_is_a_reason(scored):
    assert "no validation people" in calibrated(scored)


def test_equal_distances_leave_no_threshold():
    scored = pairs_of(1)
    equal = ScoredPairs(scored.roster, scored.pairs, np.ones(len(scored.pairs)))
    assert "equal distances" in calibrated(equal).points["0.05"]["skipped"]


def test_figures_are_json():
    found = calibrated(pairs_of(1))
    assert isinstance(found, Thresholds)
    json.dumps(found.as_json(), allow_nan=False)
