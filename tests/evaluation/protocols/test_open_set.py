"""The reject option on made-up people, some of whom nobody enrolled."""

import dataclasses
import json

import numpy as np
import pytest

from facenet_tf.evaluation.protocols import open_set
from facenet_tf.evaluation.protocols.open_set import RULES, open_set_figures
from facenet_tf.evaluation.roster import Vectors

from ..made_up import people_vectors

FARS = (0.25, 0.1)


def figures_of(test, validation, draws=3, seed=0, bootstrap=0):
    return open_set_figures(
        test, validation, fars=FARS, draws=draws, seed=seed, bootstrap=bootstrap
    )


def choosers(pictures=40, **options):
    return people_vectors(people=5, pictures=pictures, seed=9, size=24, **options)


@pytest.fixture(scope="module")
def moderate():
    return people_vectors(people=8, pictures=12, size=24, spread=0.8), choosers(spread=0.8)


@pytest.fixture(scope="module")
def found(moderate):
    return figures_of(*moderate)


def test_people_far_apart_are_named_and_strangers_are_not():
    test = people_vectors(people=8, pictures=12, size=24, spread=0.1)
    rules = figures_of(test, choosers(spread=0.1))["rules"]
    for name in ("nearest_mean", "nearest_neighbour"):
        assert rules[name]["closed_set_mean"] == 1
        assert rules[name]["auc_mean"] == 1
        # People in 24 dimensions are all about as far apart: a quarter of these, not of those.
        assert rules[name]["fars"]["0.1"]["named_mean"] == 1


def test_shares_of_known_pictures_add_up(found):
    for rule in found["rules"].values():
        for point in rule["fars"].values():
            parts = sum(point[f"{part}_mean"] for part in ("named", "misnamed", "turned_away"))
            assert parts == pytest.approx(1)
            assert point["named_mean"] <= rule["closed_set_mean"] + 1e-12


def test_a_smaller_far_detects_more_and_names_fewer(found):
    for rule in found["rules"].values():
        wide, narrow = rule["fars"]["0.25"], rule["fars"]["0.1"]
        assert narrow["detected_mean"] >= wide["detected_mean"]
        assert narrow["named_mean"] <= wide["named_mean"]


def test_nearest_mean_is_that_of_a_loop(moderate, found, monkeypatch):
    """One draw, step by step, with the probes that the draw has."""
    test, validation = moderate
    random = np.random.default_rng([0, 0])
    names = np.unique(test.roster.identities)
    known = sorted(random.permutation(names)[:4])
    mine = np.isin(test.roster.identities, known)
    labels = test.roster.identities[mine]
    places = open_set.metrics.places_among_own(np.searchsorted(known, labels), random)
    probe = places < 2  # a fifth of twelve
    rows = test.values.astype(float)
    means = {}
    for name in known:
        mean = rows[mine][~probe][labels[~probe] == name].mean(axis=0)
        means[name] = mean / np.linalg.norm(mean)

    def nearest(row):
        return min((float(((row - mean) ** 2).sum()), name) for name, mean in means.items())

    choosing = sorted(nearest(row)[0] for row in validation.values.astype(float))
    threshold = choosing[int(0.1 * len(choosing)) - 1]
    named = [
        distance <= threshold and name == own
        for (distance, name), own in zip(map(nearest, rows[mine][probe]), labels[probe])
    ]
    detected = [nearest(row)[0] > threshold for row in rows[~mine]]
    draw = open_set._of_draw(test, validation, names, FARS, np.random.default_rng([0, 0]))
    one = draw["nearest_mean"].figures(np.ones(8))
    assert one["0.1/named"] == pytest.approx(np.mean(named))
    assert one["0.1/detected"] == pytest.approx(np.mean(detected))
    times = np.array([2.0, 0, 1, 1, 3, 1, 0, 0])
    drawn = draw["nearest_mean"].figures(times)
    number = {name: times[place] for place, name in enumerate(names)}
    weights = [number[name] for name in labels[probe]]
    assert drawn["0.1/named"] == pytest.approx(np.average(named, weights=weights))
    weights = [number[name] for name in test.roster.identities[~mine]]
    assert drawn["0.1/detected"] == pytest.approx(np.average(detected, weights=weights))


def test_unknown_test_people_have_no_part_in_the_threshold(moderate):
    """Their vectors change what is detected, and nothing of what is named."""
    test, validation = moderate
    random = np.random.default_rng([0, 0])
    names = np.unique(test.roster.identities)
    unknown = ~np.isin(test.roster.identities, random.permutation(names)[:4])
    spoilt = test.values.copy()
    spoilt[unknown] = spoilt[~unknown][: unknown.sum()]
    draws = [
        open_set._of_draw(given, validation, names, FARS, np.random.default_rng([0, 0]))
        for given in (test, Vectors(test.roster, spoilt))
    ]
    found = [{name: each.figures(np.ones(8)) for name, each in draw.items()} for draw in draws]
    for rule in RULES:
        assert found[0][rule]["0.1/named"] == found[1][rule]["0.1/named"]
    assert found[1]["nearest_mean"]["0.1/detected"] < found[0]["nearest_mean"]["0.1/detected"]


def test_lost_pictures_get_no_name():
    """What is wrong of known people's pictures, and right of unknown ones'."""
    whole = people_vectors(people=4, pictures=12, size=24, spread=0.1)
    lost = np.arange(0, 48, 12)  # one of each person
    values = whole.values.copy()
    values[lost] = np.nan
    records = whole.roster.records.copy()
    records[lost] = -1
    holed = Vectors(dataclasses.replace(whole.roster, records=records), values)
    rule = figures_of(holed, choosers(spread=0.1))["rules"]["nearest_mean"]
    assert rule["closed_set_mean"] == pytest.approx(4 / 6)  # two probes of each, and the lost one
    assert rule["fars"]["0.1"]["named_mean"] == pytest.approx(4 / 6)
    without = figures_of(whole, choosers(spread=0.1))["rules"]["nearest_mean"]["fars"]["0.1"]
    assert rule["fars"]["0.1"]["detected_mean"] >= without["detected_mean"]


def test_a_far_that_the_choosing_pictures_do_not_carry_has_no_figure(moderate):
    found = figures_of(moderate[0], choosers(pictures=12))
    for rule in found["rules"].values():
        assert set(rule["fars"]) == {"0.25"}
    table, _ = open_set.tables({"open_set": found, "config": {"open_set": {"fars": (0.25, 0.1)}}})
    assert table.head[3:] == ["unknown detected@0.25", "named rightly@0.25"]
    assert "too few for a FAR of 0.1" in table.note


@pytest.mark.parametrize(
    ("test", "validation", "reason"),
    [
        (people_vectors(people=3), choosers(), "four are needed"),
        (people_vectors(people=6, pictures=4), choosers(), "0 test people have 5 pictures"),
        (people_vectors(), choosers().where(np.zeros(200, bool)), "no validation people"),
    ],
)
def test_too_few_people_are_a_reason(test, validation, reason):
    assert reason in figures_of(test, validation)["skipped"]


def test_every_figure_has_an_interval_over_people(moderate, found):
    rules = figures_of(*moderate, bootstrap=60)["rules"]
    for name, rule in rules.items():
        for figures in (rule, *rule["fars"].values()):
            for figure in [key.removesuffix("_mean") for key in figures if key.endswith("_mean")]:
                low, high = figures[f"{figure}_interval"]
                assert low <= figures[f"{figure}_mean"] <= high and low < high, (name, figure)
    point = found["rules"]["nearest_mean"]["fars"]["0.1"]
    assert point["detected_interval"] is None
    assert point["detected_mean"] == rules["nearest_mean"]["fars"]["0.1"]["detected_mean"]


def test_same_seed_same_figures(moderate, found):
    assert figures_of(*moderate) == found
    json.dumps(found, allow_nan=False)
