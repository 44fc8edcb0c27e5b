"""Figures of groups against those of their own pairs, counted anew."""

import dataclasses

import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.fairness import FairnessOptions
from facenet_tf.evaluation.protocol import Results
from facenet_tf.evaluation.protocols import fairness
from facenet_tf.evaluation.protocols.fairness import FAIRNESS
from facenet_tf.evaluation.roster import NO_RECORD

from ..made_up import measured_of, people_vectors, thresholds_at

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


def by_hand(vectors):
    """Average precision of each picture, the others of its person sought among all pictures."""
    people, values = vectors.roster.identities, vectors.values.astype(float)
    found = []
    for row in range(len(values)):
        others = np.flatnonzero(np.arange(len(values)) != row)
        distance = ((values[others] - values[row]) ** 2).sum(axis=1)
        hits = people[others][np.argsort(distance)] == people[row]
        found.append(np.mean((np.cumsum(hits) / (1 + np.arange(len(hits))))[hits]))
    return np.array(found)


def test_average_precision_and_decidability_of_a_group(vectors, found):
    numbers = np.array([int(name[1:]) for name in vectors.roster.identities])
    precisions = by_hand(vectors)
    for group in ("even", "odd"):
        figure = found["attributes"]["parity"]["groups"][group]
        mine = (numbers % 2 == (group == "odd")) & (numbers != 11)
        assert figure["map"]["mean"] == pytest.approx(precisions[mine].mean())
        low, high = figure["map"]["interval"]
        assert low <= figure["map"]["mean"] <= high
        genuine, distance = within(vectors, group)
        own, other = distance[genuine], distance[~genuine]
        expected = (other.mean() - own.mean()) / np.sqrt((own.var() + other.var()) / 2)
        assert figure["d_prime"] == pytest.approx(expected)
        (parity, *_) = FAIRNESS.tables({"fairness": found})
        row = dict(zip(parity.head, next(each for each in parity.rows if each[0] == group)))
        assert row["mAP"] == f"{figure['map']['mean']:.4f} ({low:.4f} – {high:.4f})"
        low, high = figure["bootstrap"]["d_prime"]
        assert row["d'"] == f"{figure['d_prime']:.4f} ({low:.4f} – {high:.4f})"
        low, high = figure["bootstrap"]["auc"]
        assert row["AUC"] == f"{figure['auc']:.4f} ({low:.4f} – {high:.4f})"


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
    assert "impostor pairs" in common["fmr_skipped"] and common["fmr"] is None
    assert common["fnmr"] == pytest.approx((distance[genuine] > threshold).mean(), abs=1e-2)
    low, high = common["fnmr_interval"]
    assert low <= common["fnmr"] <= high
    rate = found["attributes"]["parity"]["groups"][group]["common"]["0.1"]["fmr"]
    threshold = found["common_thresholds"]["0.1"]
    assert rate == pytest.approx((distance[~genuine] <= threshold).mean(), abs=1e-3)


def test_the_common_threshold_is_that_of_others_where_they_chose_one(vectors, config):
    measured = measured_of(vectors, thresholds=thresholds_at(f01=0.8, f0001=0.3))
    found = fairness.figures(vectors, measured, config)
    assert found["common_thresholds"] == {"0.1": 0.8, "0.001": 0.3}
    assert "chosen by the dataset's 9 validation people" in found["protocol"]
    for group in ("even", "odd"):
        genuine, distance = within(vectors, group)
        common = found["attributes"]["parity"]["groups"][group]["common"]
        assert common["0.1"]["fmr"] == pytest.approx((distance[~genuine] <= 0.8).mean())
        assert common["0.1"]["fnmr"] == pytest.approx((distance[genuine] > 0.8).mean())
        assert common["0.001"]["fmr"] is None
        assert "need 10000" in common["0.001"]["fmr_skipped"]
        assert common["0.001"]["fnmr"] == pytest.approx((distance[genuine] > 0.3).mean())
    unequal = found["attributes"]["parity"]["inequality"]["at"]["0.001"]
    assert "0 groups with pairs enough" in unequal["fmr"]["skipped"]
    assert unequal["fnmr"]["groups"] == ["even", "odd"]
    (parity, *_) = FAIRNESS.tables({"fairness": found})
    assert "FMR@0.1" in parity.head  # that of 0.001 no group has


def test_a_group_with_too_few_pairs_has_a_reason_in_place_of_a_rate(vectors, tmp_path):
    file = tmp_path / "a.csv"
    groups = {0: "a", 1: "a", 2: "b", 3: "b"}
    file.write_text("\n".join(["identity,g", *(f"p{n},{group}" for n, group in groups.items())]))
    options = FairnessOptions(attributes=file, smallest=2)
    few = vectors.where(np.isin(np.arange(72) % 6, (0, 1)))  # two pictures of each
    config = EvaluateConfig(fars=(0.5,), bootstrap=0, fairness=options)
    measured = measured_of(few, thresholds=thresholds_at(f05=1.0))
    found = fairness.figures(few, measured, config)
    for group in found["attributes"]["g"]["groups"].values():
        assert (group["common"]["0.5"]["fmr"], group["common"]["0.5"]["fnmr"]) == (None, None)
        assert "4 impostor pairs" in group["common"]["0.5"]["fmr_skipped"]
        assert "2 genuine pairs, fewer than 30" in group["common"]["0.5"]["fnmr_skipped"]
    (table, *_) = FAIRNESS.tables({"fairness": found})
    assert all(row[6:8] == ["-", "-"] for row in table.rows)
    assert "a: no FNMR: 2 genuine pairs" in table.note
    (plot,) = FAIRNESS.plots(Results(config, measured, {}, {"fairness": found}))
    assert not plot.figure.axes[0].lines


def test_lost_pictures_raise_no_false_match_rate(vectors, config):
    lost = np.arange(len(vectors.roster)) % 6 == 0
    records = np.where(lost, NO_RECORD, vectors.roster.records)
    holed = dataclasses.replace(
        vectors,
        roster=dataclasses.replace(vectors.roster, records=records),
        values=np.where(lost[:, None], np.nan, vectors.values),
    )
    strict = thresholds_at(f01=1e-9)
    found = fairness.figures(holed, measured_of(holed, thresholds=strict), config)
    for group in found["attributes"]["parity"]["groups"].values():
        assert group["common"]["0.1"]["fmr"] == 0
        assert group["common"]["0.1"]["fnmr"] == 1


def test_the_overall_threshold_is_called_that(found):
    assert "overall FAR of NIST's FRVT" in found["protocol"]
    assert "overall FAR of NIST's FRVT" in FAIRNESS.tables({"fairness": found})[0].note


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
