"""Identification figures of made-up people, against loops over probes and draws."""

import copy
import dataclasses
import json

import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.evaluation.methods.galleries import Draws, People, closed_trials, open_trials
from facenet_tf.evaluation.protocols.identification import (
    average_precision_figures,
    closed_figures,
    figures,
    open_figures,
    tables,
    verdict,
)

from ...metrics import twins
from ..made_up import people_vectors

DRAWS = Draws(count=4)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the figures take from a config."""

    ranks: tuple[int, ...] = (1, 3)
    enrolled: int = 1
    unknown: float = 0.5


@dataclasses.dataclass(frozen=True)
class Config:
    identification: Asked = Asked()
    draws: int = 4
    seed: int = 0
    bootstrap: int = 20
    fars: tuple[float, ...] = (0.5, 0.001)
    list_only: bool = False


@dataclasses.dataclass(frozen=True)
class Everything:
    """Measures all pictures of a roster as those of test people."""

    roster: object

    @property
    def test_rows(self):
        return ~self.roster.duplicate


def by_hand(people, draws):
    """Of every draw: (own, foreign, ahead) of each probe by loops, and which are known."""
    return [
        (
            twins.searched(
                people.values[draw.gallery],
                people.person[draw.gallery].tolist(),
                people.values[draw.probes],
                people.person[draw.probes].tolist(),
            ),
            draw.known.tolist(),
        )
        for draw in draws
    ]


@pytest.fixture(scope="module")
def crowd():
    vectors = people_vectors(people=12, pictures=6, spread=0.9, lost=(3, 40))
    return People(vectors)


def test_closed_set_is_that_of_loops(crowd):
    found = closed_figures(crowd, closed_trials(crowd, DRAWS), (1, 3), 0, 0)
    slow = by_hand(crowd, crowd.closed_draws(DRAWS))
    for rank in (1, 3):
        shares = [
            np.mean([ahead < rank and own < np.inf for own, _, ahead in probes])
            for probes, _ in slow
        ]
        assert found["rank"][str(rank)]["mean"] == pytest.approx(np.mean(shares), abs=1e-9)
        assert found["rank"][str(rank)]["std"] == pytest.approx(np.std(shares, ddof=1), abs=1e-9)
        assert found["cmc"][rank - 1] == pytest.approx(np.mean(shares), abs=1e-9)
        assert found["rank"][str(rank)]["interval"] is None
    assert len(found["cmc"]) == 12
    assert (found["probes"], found["lost_probes"]) == (60, 2)
    assert found["cmc"][-1] == pytest.approx(58 / 60)  # the lost are never found


def test_open_set_is_that_of_loops(crowd):
    found = open_figures(crowd, open_trials(crowd, DRAWS), (0.3, 0.5, 0.01), 0, 0)
    slow = by_hand(crowd, crowd.open_draws(DRAWS))
    for far in (0.3, 0.5):
        rates = [twins.detection_rate(probes, known, far) for probes, known in slow]
        assert found["dir"][str(far)]["mean"] == pytest.approx(np.mean(rates), abs=1e-9)
        assert found["dir"][str(far)]["std"] == pytest.approx(np.std(rates, ddof=1), abs=1e-9)
        assert found["dir"][str(far)]["far"] <= far
    assert found["dir"]["0.01"]["mean"] is None
    reason = metrics.too_few_for_far(36, 0.01, "unknown probes", "false alarms")
    assert found["dir"]["0.01"]["skipped"] == reason
    assert found["unknown_probes"] == {"mean": 36, "least": 36}


def test_probes_without_a_record_are_errors_and_told_apart(crowd):
    found = open_figures(crowd, open_trials(crowd, DRAWS), (0.5,), 0, 0)
    assert found["without_lost"]["dir"]["0.5"]["mean"] > found["dir"]["0.5"]["mean"]


def test_a_draw_that_loses_all_its_known_probes_says_so(crowd):
    tried = open_trials(crowd, DRAWS)
    worse = copy.copy(crowd)
    worse.lost = crowd.lost.copy()
    worse.lost[tried[0].draw.probes[tried[0].draw.known]] = True
    found = open_figures(worse, tried, (0.5,), 0, 0)
    assert "no known or no unknown probes with a record" in found["without_lost"]["skipped"]


def test_intervals_hold_the_figures_and_the_seed_decides_them(crowd):
    tried = closed_trials(crowd, DRAWS)
    first = closed_figures(crowd, tried, (1,), 100, 0)["rank"]["1"]
    low, high = first["interval"]
    assert low < first["mean"] < high
    assert closed_figures(crowd, tried, (1,), 100, 1)["rank"]["1"]["interval"] != [low, high]
    rate = open_figures(crowd, open_trials(crowd, DRAWS), (0.5,), 100, 0)["dir"]["0.5"]
    assert rate["interval"][0] <= rate["mean"] <= rate["interval"][1]
    average = average_precision_figures(crowd, 100, 0)
    assert average["interval"][0] < average["mean"] < average["interval"][1]


def test_apart_people_are_always_found_and_noise_is_not():
    apart = People(people_vectors(people=20, pictures=10, size=32, spread=0.02))
    found = closed_figures(apart, closed_trials(apart, DRAWS), (1,), 0, 0)
    assert found["rank"]["1"]["mean"] == 1
    assert average_precision_figures(apart, 0, 0)["mean"] == 1
    rates = open_figures(apart, open_trials(apart, DRAWS), (0.1,), 0, 0)["dir"]
    assert rates["0.1"]["mean"] == 1
    noise = People(people_vectors(people=20, pictures=10, size=32, spread=50.0))
    found = closed_figures(noise, closed_trials(noise, DRAWS), (1, 20), 0, 0)
    assert 0.01 < found["rank"]["1"]["mean"] < 0.12
    assert found["rank"]["20"]["mean"] == 1


def test_a_network_with_one_answer_comes_last():
    vectors = people_vectors(people=5, pictures=6)
    vectors.values[:] = vectors.values[0]
    people = People(vectors)
    found = closed_figures(people, closed_trials(people, DRAWS), (1, 4, 5), 0, 0)
    assert [found["rank"][rank]["mean"] for rank in ("1", "4", "5")] == [0, 0, 1]
    rates = open_figures(people, open_trials(people, DRAWS), (0.9,), 0, 0)["dir"]
    assert rates["0.9"]["mean"] == 0


def test_all_figures_are_json_with_tables_and_a_verdict():
    vectors = people_vectors(people=10, pictures=8, lost=(1,), duplicate=(9,))
    found = figures(vectors, Everything(vectors.roster), Config())
    json.dumps(found, allow_nan=False)
    assert (found["people"], found["pictures"], found["draws"]) == (10, 79, 4)
    results = {"identification": found, "baselines": {"raw_pixels": {"identification": found}}}
    closed, intervals, opened = tables(results)
    assert closed.head == ["closed set", "rank 1", "rank 3", "mAP"]
    assert [row[0] for row in closed.rows] == ["trained", "raw pixels"]
    assert opened.head == ["open set", "DIR@FAR 0.5"]
    assert "too few for a FAR of 0.001" in opened.note
    assert [row[0] for row in intervals.rows] == ["rank 1", "rank 3", "mAP", "DIR@FAR 0.5"]
    few = {"identification": {**found, "people": 3}, "baselines": {}}
    assert tables(few)[0].head == [
        "closed set",
        "rank 1",
        "mAP",
    ]  # of three all are the first three
    assert [row[0] for row in tables(few)[1].rows] == ["rank 1", "mAP", "DIR@FAR 0.5"]
    assert (
        f"first for {100 * found['closed_set']['rank']['1']['mean']:.1f} %" in verdict(results)[0]
    )


def test_fewer_than_two_people_are_a_reason_not_a_crash():
    vectors = people_vectors(people=1)
    found = figures(vectors, Everything(vectors.roster), Config())
    assert "two people" in found["skipped"]


def test_none_are_asked_for():
    vectors = people_vectors()
    everything = Everything(vectors.roster)
    assert figures(vectors, everything, Config(identification=Asked(ranks=()))) is None
    assert figures(vectors, everything, Config(list_only=True)) is None
