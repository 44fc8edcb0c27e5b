"""Figures of groups against those of their own pairs, counted anew."""

import dataclasses

import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.errors import InputError
from facenet_tf.evaluation import fairness
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.fairness import FAIRNESS
from facenet_tf.evaluation.options.fairness import FairnessOptions
from facenet_tf.evaluation.protocol import Results

from .made_up import measured_of, people_vectors

FARS = (0.1, 0.01)


@pytest.fixture(scope="module")
def vectors():
    """Even people are told apart well, odd ones badly; p11's group is not known."""
    good = people_vectors(12, 6, spread=0.25, seed=1)
    bad = people_vectors(12, 6, spread=0.9, seed=2)
    odd = np.array([int(name[1:]) % 2 == 1 for name in good.roster.identities])
    return dataclasses.replace(good, values=np.where(odd[:, None], bad.values, good.values))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    file = tmp_path_factory.mktemp("attributes") / "a.csv"
    rows = [f"p{n},{'odd' if n % 2 else 'even'},{'x' if n else 'y'}" for n in range(11)]
    file.write_text("\n".join(["identity,parity,rare", *rows]))
    return EvaluateConfig(
        fars=FARS, bootstrap=40, fairness=FairnessOptions(attributes=file, smallest=4)
    )


@pytest.fixture(scope="module")
def found(vectors, config):
    return fairness.figures(vectors, measured_of(vectors), config)


def within(vectors, group):
    """Genuine flags and distances of the pairs of one parity, p11 left out."""
    number = np.array([int(name[1:]) for name in vectors.roster.identities])
    rows = np.flatnonzero((number % 2 == (group == "odd")) & (number != 11))
    left, right = metrics.all_pairs(len(rows))
    difference = vectors.values[rows[left]].astype(float) - vectors.values[rows[right]]
    return number[rows[left]] == number[rows[right]], (difference**2).sum(axis=1)


@pytest.mark.parametrize("group", ["even", "odd"])
def test_figures_are_those_of_the_groups_own_pairs(vectors, found, group):
    genuine, distance = within(vectors, group)
    figure = found["attributes"]["parity"]["groups"][group]
    assert figure["people"] == (6 if group == "even" else 5)
    assert figure["impostor_pairs"] == (~genuine).sum()
    curve = metrics.roc_curve(genuine, distance)
    assert figure["auc"] == pytest.approx(metrics.area_under_curve(curve))
    assert figure["tar"]["0.1"] == pytest.approx(metrics.operating_point(curve, 0.1).tar)


@pytest.mark.parametrize("group", ["even", "odd"])
def test_common_threshold_is_that_of_all_people(vectors, found, group):
    everyone = vectors.values.astype(float)
    left, right = metrics.all_pairs(len(everyone))
    names = vectors.roster.identities
    of_all = ((everyone[left] - everyone[right]) ** 2).sum(axis=1)
    curve = metrics.roc_curve(names[left] == names[right], of_all)
    threshold = found["common_thresholds"]["0.01"]
    assert threshold == pytest.approx(metrics.operating_point(curve, 0.01).threshold)
    genuine, distance = within(vectors, group)
    common = found["attributes"]["parity"]["groups"][group]["common"]["0.01"]
    assert common["fmr"] == pytest.approx((distance[~genuine] <= threshold).mean(), abs=1e-3)
    assert common["fnmr"] == pytest.approx((distance[genuine] > threshold).mean(), abs=1e-2)
    low, high = common["fnmr_interval"]
    assert low <= common["fnmr"] <= high


def test_the_worse_group_is_seen(found):
    groups = found["attributes"]["parity"]["groups"]
    assert groups["odd"]["common"]["0.01"]["fnmr"] > groups["even"]["common"]["0.01"]["fnmr"]
    assert groups["odd"]["rank1"]["share"] < groups["even"]["rank1"]["share"]
    unequal = found["attributes"]["parity"]["inequality"]
    assert unequal["groups"] == ["even", "odd"]
    assert unequal["at"]["0.01"]["fnmr"]["gini"] > 0


def test_small_groups_have_a_warning_and_are_not_compared(found):
    rare = found["attributes"]["rare"]
    assert "1 people, fewer than 4" in rare["groups"]["y"]["warning"]
    assert rare["groups"]["y"]["skipped"] == "the group has no impostor pairs"
    assert "warning" not in rare["groups"]["x"]
    assert "1 groups that are not small" in rare["inequality"]["skipped"]
    assert found["attributes"]["parity"]["unknown_pictures"] == 6


def test_tables_and_plot_show_every_group(vectors, config, found):
    results = {"fairness": found}
    tables = FAIRNESS.tables(results)
    text = "\n".join(table.text() for table in tables)
    for group in ("even", "odd", "x", "y"):
        assert any(row[0] == group for table in tables for row in table.rows)
    assert "y: 1 people, fewer than 4" in text
    assert "6 pictures of no known parity left out" in text
    (plot,) = FAIRNESS.plots(Results(config, measured_of(vectors), {}, results))
    assert f"{plot.name}.png" in FAIRNESS.files
    labels = [each.get_text() for each in plot.figure.axes[0].get_yticklabels()]
    assert labels == ["parity: even", "parity: odd", "rare: x"]


def test_nothing_without_a_file_and_refusals(vectors):
    assert fairness.figures(vectors, measured_of(vectors), EvaluateConfig()) is None
    for options, named in (
        (FairnessOptions(columns=("sex",)), r"--fairness\.columns needs"),
        (FairnessOptions(smallest=1), r"--fairness\.smallest"),
    ):
        with pytest.raises(InputError, match=named):
            options.check()


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"--fairness\.attributes .*none\.csv"):
        FairnessOptions(attributes=tmp_path / "none.csv").check()
