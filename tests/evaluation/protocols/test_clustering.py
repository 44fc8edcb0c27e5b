"""Clustering figures of made-up people: what is chosen on whom, and what noise and loss cost."""

import dataclasses
import json

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.methods import sorting
from facenet_tf.evaluation.methods.sorting import ALGORITHMS, Pictures
from facenet_tf.evaluation.protocol import Results
from facenet_tf.evaluation.protocols import clustering
from facenet_tf.evaluation.protocols.clustering import (
    clustering_figures,
    sheets,
    tables,
    verdict,
)
from facenet_tf.evaluation.roster import Roster
from facenet_tf.metrics import ClusterTable, noise_apart

from ..made_up import people_vectors

TEST = people_vectors(people=8, pictures=7, size=16, spread=0.25)
OTHERS = people_vectors(people=6, pictures=8, size=16, spread=0.25, seed=1)
each = pytest.mark.parametrize("name", ALGORITHMS)


def figures_of(test=TEST, validation=OTHERS, algorithms=tuple(ALGORITHMS), bootstrap=0):
    return clustering_figures(test, validation, algorithms=algorithms, bootstrap=bootstrap, seed=0)


@each
def test_people_who_are_apart_are_found(name):
    row = figures_of(algorithms=(name,))["algorithms"][name]
    assert row["bcubed"]["f"] > 0.95
    assert row["validation_bcubed_f"] > 0.95
    assert row["clusters_of_two_or_more"] == 8
    assert row["purity"] > 0.95 and row["nmi"] > 0.95 and row["pairwise"]["f"] > 0.95


@each
def test_the_test_people_have_no_say_in_the_parameter(name):
    other = people_vectors(people=5, pictures=9, size=16, spread=2.0, seed=5)
    one, two = (figures_of(test, algorithms=(name,)) for test in (TEST, other))
    assert one["algorithms"][name]["parameter"] == two["algorithms"][name]["parameter"]


def test_dbscan_is_scikit_learns_on_the_vectors():
    row = figures_of(algorithms=("dbscan",))["algorithms"]["dbscan"]
    clusters = DBSCAN(eps=row["parameter"], min_samples=3).fit_predict(TEST.values)
    table = ClusterTable(TEST.roster.identities, noise_apart(clusters))
    assert row["bcubed"]["f"] == pytest.approx(table.bcubed().f, abs=1e-9)
    assert row["noise"] == (clusters == -1).sum()


def test_the_parameter_is_the_best_of_those_tried():
    pictures = Pictures.of(OTHERS, 0)
    parameter, score = clustering._chosen(ALGORITHMS["agglomerative"], pictures, 0)
    for threshold in pictures.thresholds():
        clusters = pictures.sorted_by(ALGORITHMS["agglomerative"], threshold, 0)
        assert ClusterTable(pictures.person, clusters).bcubed().f <= score
    clusters = pictures.sorted_by(ALGORITHMS["agglomerative"], parameter, 0)
    assert ClusterTable(pictures.person, clusters).bcubed().f == score


def test_distances_are_euclidean():
    pictures = Pictures.of(TEST, 0)
    rows = TEST.values.astype(np.float64)
    expected = np.linalg.norm(rows[:, None] - rows, axis=2)
    np.testing.assert_allclose(pictures.distances, expected, atol=1e-12)


def test_thresholds_span_genuine_and_impostor_distances():
    pictures = Pictures.of(OTHERS, 0)
    same = np.equal.outer(pictures.person, pictures.person)
    upper = np.triu(np.ones_like(same), k=1)
    tried = pictures.thresholds()
    assert len(tried) == 15 and (np.diff(tried) > 0).all()
    assert np.mean(pictures.distances[same & upper] <= tried[0]) == pytest.approx(0.05, abs=0.02)
    assert np.mean(pictures.distances[~same & upper] <= tried[-1]) == pytest.approx(0.1, abs=0.01)


def test_lost_pictures_are_clusters_of_their_own():
    lost = people_vectors(people=8, pictures=7, size=16, spread=0.02, lost=(0, 1, 9))
    found = figures_of(lost, algorithms=("agglomerative",))
    row = found["algorithms"]["agglomerative"]
    assert (found["lost_pictures"], found["pictures"]) == (3, 56)
    assert row["clusters"] == row["clusters_of_two_or_more"] + 3 == 11
    assert row["noise"] == 0
    assert row["bcubed"]["precision"] == 1
    recalls = [5 / 7] * 5 + [1 / 7] * 2 + [6 / 7] * 6 + [1 / 7] + [1] * 42
    assert row["bcubed"]["recall"] == pytest.approx(np.mean(recalls))


def test_interval_holds_the_figure():
    vague = people_vectors(people=8, pictures=7, size=16, spread=0.8)
    row = figures_of(vague, algorithms=("agglomerative",), bootstrap=60)
    bcubed = row["algorithms"]["agglomerative"]["bcubed"]
    assert bcubed["interval"][0] <= bcubed["f"] <= bcubed["interval"][1]
    found = row["algorithms"]["agglomerative"]
    for shares in (bcubed, found["pairwise"]):
        for name in ("precision", "recall"):
            low, high = shares[f"{name}_interval"]
            assert low <= shares[name] <= high and low < high
    low, high = found["purity_interval"]
    assert low <= found["purity"] <= high and low < high
    assert "NMI has none" in row["protocol"] and "nmi_interval" not in found


@each
def test_a_network_with_one_answer_tells_nobody_apart(name):
    same = people_vectors(people=4, pictures=5)
    same.values[:] = same.values[0]
    row = figures_of(same, same, algorithms=(name,))["algorithms"][name]
    assert row["bcubed"]["f"] < 0.75 and row["nmi"] < 0.75
    if ALGORITHMS[name].by_distance:
        assert row["clusters"] == 1


@pytest.mark.parametrize(
    ("test", "validation", "who"),
    [
        (TEST, people_vectors(people=1), "validation"),
        (people_vectors(people=3, pictures=1), OTHERS, "test"),
        (TEST, OTHERS.where(np.zeros(48, bool)), "validation"),
    ],
)
def test_nothing_to_sort_is_a_reason(test, validation, who):
    assert f"two {who} people" in figures_of(test, validation)["skipped"]


def test_of_many_pictures_whole_people_are_drawn(monkeypatch):
    monkeypatch.setattr(sorting, "MOST_PICTURES", 30)
    found = figures_of(algorithms=("agglomerative",))
    assert (found["people"], found["pictures"], found["people_not_drawn"]) == (4, 28, 4)
    pictures = Pictures.of(TEST, 0)
    assert TEST.roster.identities[pictures.rows].tolist() == sorted(
        TEST.roster.identities[pictures.rows]
    )


def test_tables_and_verdict():
    found = figures_of(bootstrap=10)
    json.dumps(found, allow_nan=False)
    (table,) = tables({"clustering": found})
    assert {len(row) for row in table.rows} == {len(table.head)}
    assert [row[0] for row in table.rows] == [kind.title for kind in ALGORITHMS.values()]
    assert "56 pictures of 8 people fall into 8 clusters" in verdict({"clustering": found})[0]


@dataclasses.dataclass(frozen=True)
class Everything:
    """Every second picture is that of a test person."""

    roster: Roster

    @property
    def test_rows(self):
        return np.arange(len(self.roster)) % 2 == 0


def test_sheets_show_the_largest_clusters_and_those_that_mix_people():
    """Two of four people share one place."""
    everybody = people_vectors(people=4, pictures=(6, 8, 10, 30), spread=0.01)
    everybody.values[6:14] = everybody.values[0]
    measured = Everything(everybody.roster)
    test = everybody.where(measured.test_rows)
    found = figures_of(test, algorithms=("agglomerative",))
    figures = {"clustering": found}
    results = Results(EvaluateConfig(), measured, {"trained": everybody}, figures)
    largest, mixed = sheets(results)
    names = everybody.roster.identities
    assert [len(strip.rows) for strip in largest.strips] == [12, 7, 5]
    assert [set(names[list(strip.rows)]) for strip in largest.strips] == [
        {"p3"},
        {"p0", "p1"},
        {"p2"},
    ]
    assert largest.strips[0].caption == "15 pictures of 1 person, 12 of them shown"
    assert all(row % 2 == 0 for strip in largest.strips for row in strip.rows)
    assert [strip.caption for strip in mixed.strips] == ["7 pictures of 2 people"]
    assert sorted(mixed.strips[0].captions) == ["p0"] * 3 + ["p1"] * 4
    assert "agglomerative" in mixed.note
