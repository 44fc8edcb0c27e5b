"""Error versus reject, with scores of which it is known what they are worth."""

import dataclasses
import math

import numpy as np
import pytest

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.quality import QualityOptions
from facenet_tf.evaluation.pair_sets import ScoredPairs
from facenet_tf.evaluation.protocol import Results
from facenet_tf.evaluation.protocols import quality
from facenet_tf.evaluation.protocols.quality import QUALITY, scores_of
from facenet_tf.evaluation.roster import Roster

from ..made_up import measured_of, people_vectors, thresholds_at

CONFIG = EvaluateConfig(fars=(0.5, 0.1, 1e-5), bootstrap=20)


@pytest.fixture(scope="module")
def vectors():
    """A sixth of the pictures shows nobody in particular."""
    good = people_vectors(10, 12, spread=0.2)
    values = good.values.copy()
    noise = np.random.default_rng(4).normal(size=(20, 8))
    values[::6] = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return dataclasses.replace(good, values=values)


@pytest.fixture(scope="module")
def found(vectors):
    count = len(vectors.roster)
    poor = np.arange(count) % 6 == 0
    scores = {
        "knowing": np.where(poor, 0.0, 1 + np.arange(count)),
        "blind": np.random.default_rng(0).random(count),
        "wrong": np.where(poor, 9.0, np.arange(count) / count),
        "silent": np.full(count, math.nan),
        "level": np.ones(count),
    }
    scores["blind"][5] = math.nan
    return quality.figures(vectors, measured_of(vectors, quality=scores), CONFIG)


def test_threshold_is_that_of_a_far_whose_fnmr_is_nearest_to_a_tenth(vectors, found):
    other = dataclasses.replace(CONFIG, fars=(0.5 if found["far"] == 0.1 else 0.1,))
    scores = {"one": np.arange(120.0)}
    alone = quality.figures(vectors, measured_of(vectors, quality=scores), other)
    assert abs(found["fnmr"] - 0.1) < abs(alone["fnmr"] - 0.1)
    names = vectors.roster.identities
    apart = ((vectors.values[:, None].astype(float) - vectors.values) ** 2).sum(axis=2)
    upper = np.triu(np.ones_like(apart, bool), 1)
    genuine = names[:, None] == names
    assert (apart[upper & ~genuine] <= found["threshold"]).mean() <= found["far"]
    assert found["fnmr"] == pytest.approx((apart[upper & genuine] > found["threshold"]).mean())


def test_the_threshold_that_others_chose_decides(vectors):
    thresholds = thresholds_at(f01=1.9, f001=0.2)
    measured = measured_of(vectors, quality={"one": np.arange(120.0)}, thresholds=thresholds)
    found = quality.figures(vectors, measured, CONFIG)
    assert (found["far"], found["threshold"]) == (0.1, 1.9)
    genuine = measured.unseen.genuine
    distance = ScoredPairs.of(vectors, measured.unseen).distance[genuine]
    assert found["fnmr"] == np.mean(distance > 1.9) < np.mean(distance > 0.2)
    (table,) = QUALITY.tables({"quality": found})
    assert "chosen by the dataset's 9 validation people" in table.note


def test_a_threshold_of_these_very_pairs_is_called_that(found):
    assert "picked on the very pairs" in found["protocol"]
    assert "picked on the very pairs" in QUALITY.tables({"quality": found})[0].note


def test_a_score_that_knows_gains_and_one_that_is_wrong_loses(found):
    gains = {name: one["gain"] for name, one in found["scores"].items()}
    assert gains["knowing"] > 0.3
    assert abs(gains["blind"]) < 0.2
    assert gains["wrong"] < 0
    knowing = found["scores"]["knowing"]
    assert knowing["best"] <= knowing["area"] < knowing["chance"]
    assert knowing["area_interval"][0] <= knowing["area"] <= knowing["area_interval"][1]
    for one in found["scores"].values():
        assert one["gain_interval"][0] <= one["gain"] <= one["gain_interval"][1]
    assert knowing["gain_interval"][0] > found["scores"]["blind"]["gain_interval"][1]


def test_curve_begins_with_all_pairs_and_pairs_without_a_score_go_first(found):
    for one in found["scores"].values():
        assert (one["rejected"][0], one["error"][0]) == (0, pytest.approx(found["fnmr"]))
    assert found["scores"]["blind"]["pairs_without_score"] == 11
    assert found["scores"]["blind"]["rejected"][1] == pytest.approx(11 / found["genuine_pairs"])


def test_scores_that_say_nothing_are_left_out(found):
    assert set(found["scores"]) == {"knowing", "blind", "wrong"}


def test_scores_of_a_dataset_are_turned_so_that_more_is_better(dataset):
    roster = Roster.of(dataset)
    scores = scores_of(dataset, roster)
    rows = {row.path: row for row in dataset.rows}
    for number, key in enumerate(roster.keys):
        row = rows[str(key)]
        if not row.sharpness:
            assert math.isnan(scores["sharpness"][number])
            continue
        assert scores["sharpness"][number] == float(row.sharpness)
        assert scores["yaw"][number] == -abs(float(row.yaw))
        assert scores["exposure"][number] == -abs(float(row.exposure) - 0.5)
        assert scores["rmse"][number] == -float(row.rmse)


def test_lost_pictures_take_no_part():
    vectors = people_vectors(6, 6, spread=0.5, lost=(4,))
    scores = {"one": np.arange(36.0)}
    found = quality.figures(vectors, measured_of(vectors, quality=scores), CONFIG)
    assert found["genuine_pairs"] == 6 * 15 - 5


def test_table_and_plot(vectors, found):
    results = Results(CONFIG, measured_of(vectors), {}, {"quality": found})
    (table,) = QUALITY.tables(results.figures)
    assert [row[0] for row in table.rows] == ["knowing", "blind", "wrong"]
    low, high = found["scores"]["knowing"]["gain_interval"]
    assert table.rows[0][-1].endswith(f"({low:.2f} – {high:.2f})")
    (plot,) = QUALITY.plots(results)
    assert f"{plot.name}.png" in QUALITY.files
    faultless = {**found, "fnmr": 0.0}
    assert QUALITY.plots(dataclasses.replace(results, figures={"quality": faultless})) == []


def test_nothing_where_nothing_is_known_or_asked(vectors):
    measured = measured_of(vectors)
    assert quality.figures(vectors, measured, CONFIG) is None
    off = dataclasses.replace(CONFIG, quality=QualityOptions(curves=False))
    scored = dataclasses.replace(measured, quality={"one": np.arange(120.0)})
    assert quality.figures(vectors, scored, off) is None
    strict = dataclasses.replace(CONFIG, fars=(1e-6,))
    assert "carry none" in quality.figures(vectors, scored, strict)["skipped"]
