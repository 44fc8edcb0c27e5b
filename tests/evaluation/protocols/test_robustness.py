"""Curves against degradation: of made-up embedders whose loss is known, and of the small world."""

import dataclasses

import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.robustness import RobustnessOptions
from facenet_tf.evaluation.protocol import Results
from facenet_tf.evaluation.protocols import robustness
from facenet_tf.evaluation.protocols.robustness import ROBUSTNESS, STEPS, step_names
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.input_pipeline.degraded import check_degradations, degradation_of
from facenet_tf.preprocessing import Preprocessing

from ..made_up import measured_of, people_vectors, thresholds_at


def config_of(*kinds, **options):
    return EvaluateConfig(fars=(0.1,), robustness=RobustnessOptions(kinds, **options))


@pytest.fixture(scope="module")
def vectors():
    """A network whose vectors are noise once a crop is degraded, the more the harsher."""
    clean = people_vectors(10, 6, spread=0.3, lost=(3,))

    def embed(roster, names):
        (name,) = names
        rows = clean.roster.rows_of(roster.keys.tolist())
        random = np.random.default_rng(len(name))
        strength = 16 / float(name.partition(":")[2] or 16)
        values = clean.values[rows] + strength * random.normal(size=(len(rows), 8)) / 2
        return Vectors(roster, values / np.linalg.norm(values, axis=1, keepdims=True))

    return dataclasses.replace(clean, embed=embed)


@pytest.fixture(scope="module")
def found(vectors, dataset):
    measured = measured_of(vectors, dataset=dataset)
    return robustness.figures(vectors, measured, config_of("low_resolution", "grey", bootstrap=20))


def test_plain_figures_are_those_of_all_pairs_with_a_record(vectors, found):
    known = vectors.where(~vectors.roster.lost)
    names = known.roster.identities
    left, right = metrics.all_pairs(len(names))
    genuine = names[left] == names[right]
    curve = metrics.roc_curve(genuine, metrics.all_pairs_distances(known.values))
    assert found["pictures"] == 59
    plain = found["plain"]
    assert plain["auc"]["value"] == pytest.approx(metrics.area_under_curve(curve))
    assert plain["tar@0.1"]["value"] == pytest.approx(metrics.operating_point(curve, 0.1).tar)
    assert plain["auc"]["interval"][0] <= plain["auc"]["value"] <= plain["auc"]["interval"][1]


def test_one_side_is_the_good_left_against_the_poor_right(vectors, found):
    known = vectors.where(~vectors.roster.lost)
    poor = vectors.embed(known.roster, ("low_resolution:16",)).values.astype(float)
    names = known.roster.identities
    left, right = metrics.all_pairs(len(names))
    distance = ((known.values[left].astype(float) - poor[right]) ** 2).sum(axis=1)
    curve = metrics.roc_curve(names[left] == names[right], distance)
    steps = {each["degraded"]: each for each in found["kinds"]["low_resolution"]["steps"]}
    last = steps["low_resolution:16"]
    assert last["one"]["auc"]["value"] == pytest.approx(metrics.area_under_curve(curve))
    both = metrics.all_pairs_distances(poor)
    curve = metrics.roc_curve(names[left] == names[right], both)
    assert last["both"]["auc"]["value"] == pytest.approx(metrics.area_under_curve(curve))


@pytest.fixture(scope="module")
def fixed(vectors, dataset):
    """Figures at a threshold that others chose by pictures as they are."""
    measured = measured_of(vectors, dataset=dataset, thresholds=thresholds_at(f01=0.5, f02=0.9))
    return robustness.figures(vectors, measured, config_of("low_resolution", bootstrap=10))


def test_the_fixed_threshold_stays_while_pictures_get_worse(vectors, fixed):
    known = vectors.where(~vectors.roster.lost)
    names = known.roster.identities
    left, right = metrics.all_pairs(len(names))
    genuine = names[left] == names[right]
    last = fixed["kinds"]["low_resolution"]["steps"][-1]
    poor = vectors.embed(known.roster, ("low_resolution:16",)).values.astype(float)
    for figures, rows in ((fixed["plain"], known.values.astype(float)), (last["both"], poor)):
        distance = ((rows[left] - rows[right]) ** 2).sum(axis=1)
        for far, threshold in (("0.1", 0.5), ("0.2", 0.9)):
            rates = figures[f"fmr@{far}"], figures[f"fnmr@{far}"]
            assert rates[0]["value"] == pytest.approx(np.mean(distance[~genuine] <= threshold))
            assert rates[1]["value"] == pytest.approx(np.mean(distance[genuine] > threshold))
            for rate in rates:
                assert rate["interval"][0] <= rate["value"] <= rate["interval"][1]
    assert last["both"]["fnmr@0.1"]["value"] > fixed["plain"]["fnmr@0.1"]["value"]


def test_tables_and_plot_show_what_the_fixed_threshold_does(vectors, fixed, found):
    ranking, decided = ROBUSTNESS.tables({"robustness": fixed})
    assert decided.head[1:] == ["FMR@0.1, both", "FNMR@0.1, both", "FMR@0.1, one", "FNMR@0.1, one"]
    assert [row[0] for row in decided.rows] == [row[0] for row in ranking.rows]
    assert "chosen by the dataset's 9 validation people" in decided.note
    results = Results(EvaluateConfig(), measured_of(vectors), {}, {"robustness": fixed})
    (plot,) = ROBUSTNESS.plots(results)
    titles = [axes.get_title() for axes in plot.figure.axes]
    assert titles == ["EER", "TAR@0.1", "FMR@0.1", "FNMR@0.1"]
    assert not [name for name in found["plain"] if name.startswith(("fmr", "fnmr"))]


def test_rates_are_shown_where_they_can_be_read(found):
    """At the lowest FAR where half of the pairs of good pictures are recognised."""
    plain = {
        name: {"value": value}
        for name, value in (
            ("eer", 0.1),
            ("tar@0.1", 0.9),
            ("tar@0.01", 0.6),
            ("tar@0.001", 0.1),
            ("fmr@0.1", 0.1),
            ("fnmr@0.1", 0.7),
            ("fmr@0.01", 0.0),
            ("fnmr@0.01", 0.9),
        )
    }
    assert robustness._ranking(plain) == ["eer", "tar@0.01"]
    assert robustness._decided(plain) == ["fmr@0.1", "fnmr@0.1"]
    assert robustness._ranking({"eer": {"value": 0.1}}) == ["eer"]


def test_harsher_steps_lose_more_and_two_poor_pictures_most(found):
    steps = found["kinds"]["low_resolution"]["steps"]
    aucs = [step["both"]["auc"]["value"] for step in steps]
    assert aucs[-1] < aucs[0] < found["plain"]["auc"]["value"]
    assert steps[-1]["one"]["auc"]["value"] > aucs[-1]


def test_steps_are_degradations_that_change_the_crops():
    crops = Preprocessing(size=40)
    for kind in STEPS:
        names = step_names(kind, crops)
        check_degradations(names, crops)
        assert names == [name for name in names if degradation_of(name)]
    assert step_names("low_resolution", crops) == ["low_resolution:32", *_lower()]
    assert step_names("low_resolution", Preprocessing(size=112))[-1] == "low_resolution:16"
    assert step_names("grey", Preprocessing(color="grey")) == []


def _lower():
    return ["low_resolution:24", "low_resolution:16"]


def test_tables_and_plots_show_every_step(vectors, dataset, found):
    results = Results(EvaluateConfig(), measured_of(vectors), {}, {"robustness": found})
    tables = ROBUSTNESS.tables(results.figures)
    rows = [row[0] for row in tables[0].rows]
    assert rows == ["as they are", "low_resolution:24", "low_resolution:16"]
    assert tables[1].rows[1][0] == "grey"
    plots = ROBUSTNESS.plots(results)
    assert [plot.name for plot in plots] == ["robustness_low_resolution"]  # grey has one step
    assert {f"{plot.name}.png" for plot in plots} <= set(ROBUSTNESS.files)
    line = plots[0].figure.axes[0].lines[0]
    assert line.get_xdata().tolist() == [24, 16]


def test_more_pictures_are_drawn_by_whole_people(vectors, dataset):
    measured = measured_of(vectors, dataset=dataset)
    few = robustness.figures(vectors, measured, config_of("grey", pictures=20, bootstrap=0))
    assert few["pictures"] <= 20 and few["people"] >= 2
    assert few["plain"]["auc"]["interval"] is None


def test_embeddings_alone_and_one_person_give_no_curve(vectors, dataset):
    alone = dataclasses.replace(vectors, embed=None)
    assert (
        "only embeddings"
        in robustness.figures(alone, measured_of(vectors), config_of("grey"))["skipped"]
    )
    one = vectors.where(vectors.roster.identities == "p0")
    measured = measured_of(one, dataset=dataset)
    assert "no genuine" in robustness.figures(one, measured, config_of("grey"))["skipped"]
    assert robustness.figures(vectors, measured, EvaluateConfig()) is None
