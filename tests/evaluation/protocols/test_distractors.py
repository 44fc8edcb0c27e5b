"""Identification among strangers, against galleries that hold them."""

import dataclasses
import json
import re

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.made import Made
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.galleries import Draws, People, closed_trials, open_trials
from facenet_tf.evaluation.methods.strangers import MadeUp
from facenet_tf.evaluation.options.distractors import DistractorsOptions
from facenet_tf.evaluation.protocols import distractors
from facenet_tf.evaluation.protocols.distractors import crowd_figures, tables
from facenet_tf.evaluation.roster import SEEN
from facenet_tf.search import index

from ...metrics import twins
from ..made_up import measured_of, people_vectors

MADE = Made("a" * 64, {"jitter": 0})
DRAWS, FARS = Draws(count=3), (0.5, 0.01)


@pytest.fixture(scope="module")
def crowd():
    return People(people_vectors(people=8, pictures=6, size=6, spread=0.5, lost=(2,)))


def figures_of(people, source, sizes=(20, 60), kind="exact", bootstrap=0):
    return crowd_figures(
        people,
        closed_trials(people, DRAWS),
        open_trials(people, DRAWS),
        source,
        sizes=sizes,
        ranks=(1, 4),
        fars=FARS,
        kind=kind,
        bootstrap=bootstrap,
    )


@pytest.fixture(scope="module")
def source():
    return MadeUp(people_vectors(people=20, pictures=3, size=6, seed=9).values, seed=0)


@pytest.mark.parametrize("size", [20, 60])
def test_figures_are_those_of_galleries_that_hold_the_strangers(crowd, source, size):
    found = figures_of(crowd, source)["sizes"][str(size)]
    rows = source.rows(0, size)

    def searched(draw):
        return twins.searched(
            [*crowd.values[draw.gallery], *rows],
            [*crowd.person[draw.gallery].tolist(), *range(100, 100 + size)],
            crowd.values[draw.probes],
            crowd.person[draw.probes].tolist(),
        )

    closed = [searched(draw) for draw in crowd.closed_draws(DRAWS)]
    for rank in (1, 4):
        shares = [np.mean([own < np.inf and ahead < rank for own, _, ahead in p]) for p in closed]
        assert found["rank"][str(rank)]["mean"] == pytest.approx(np.mean(shares), abs=1e-9)
    rates = [
        twins.detection_rate(searched(draw), draw.known, 0.5) for draw in crowd.open_draws(DRAWS)
    ]
    assert found["dir"]["0.5"]["mean"] == pytest.approx(np.mean(rates), abs=1e-9)
    assert found["dir"]["0.01"]["mean"] is None


def test_more_strangers_never_help(crowd, source):
    sizes = figures_of(crowd, source, sizes=(300, 1, 30))["sizes"]
    assert list(sizes) == ["1", "30", "300"]
    means = [row["rank"]["1"]["mean"] for row in sizes.values()]
    assert means == sorted(means, reverse=True) and means[0] > means[-1]


def test_intervals_over_people_hold_the_figures(crowd, source):
    row = figures_of(crowd, source, bootstrap=40)["sizes"]["60"]
    for found in (row["rank"]["1"], row["dir"]["0.5"]):
        low, high = found["interval"]
        assert low <= found["mean"] <= high and low < high


def test_intervals_stand_in_a_table_of_their_own(crowd, source):
    found = {"strangers": "made up", **figures_of(crowd, source, sizes=(60, 2000), bootstrap=40)}
    figures, intervals = tables({"distractors": found})
    assert intervals.detail and intervals.head == figures.head
    assert [row[0] for row in intervals.rows] == ["60", "2,000"]
    low, high = found["sizes"]["60"]["rank"]["1"]["interval"]
    assert intervals.rows[0][1] == f"{low:.4f} – {high:.4f}"
    low, high = found["sizes"]["2000"]["dir"]["0.5"]["interval"]
    assert intervals.rows[1][3] == f"{low:.4f} – {high:.4f}"


def test_sizes_on_the_way_do_not_show(crowd, source):
    whole = figures_of(crowd, source, sizes=(60,))["sizes"]["60"]
    assert figures_of(crowd, source, sizes=(7, 20, 60))["sizes"]["60"] == whole


def test_tables_compare_strangers_with_people(crowd, source):
    found = {"strangers": "made up", **figures_of(crowd, source)}
    json.dumps(found, allow_nan=False)
    (table,) = tables({"distractors": found})
    assert table.head == ["distractors", "rank 1", "rank 4", "DIR@FAR 0.5"]
    assert "too few unknown probes for a FAR of 0.01" in table.note
    assert [row[0] for row in table.rows] == ["20", "60"]
    assert "squared distance" in table.note
    assert "recall" not in found


def test_nobody_whom_the_network_was_trained_on_is_a_model_of_strangers(tmp_path):
    vectors = people_vectors(people=9, pictures=10)
    splits = np.repeat(["test", "train", SEEN, "validation"], [30, 20, 20, 20])
    vectors = dataclasses.replace(
        vectors, roster=dataclasses.replace(vectors.roster, splits=splits)
    )
    config = EvaluateConfig(tmp_path, distractors=DistractorsOptions(sizes=(50,)))
    _, told = distractors.source_of(vectors, measured_of(vectors), config)
    assert "after the 20 embeddings of people beside those of the test" in told


def test_an_approximate_search_tells_its_recall(crowd, source, monkeypatch):
    pytest.importorskip("faiss")
    monkeypatch.setattr(index, "FEWEST_APPROXIMATE", 1)
    with threadpool_limits(1):
        found = {"strangers": "made up", **figures_of(crowd, source, (400, 500), "hnsw")}
    exact = figures_of(crowd, source, (400, 500))
    for size in ("400", "500"):
        assert 0.9 < found["recall"][size] <= 1
        near = found["sizes"][size]["rank"]["1"]["mean"]
        assert near == pytest.approx(exact["sizes"][size]["rank"]["1"]["mean"], abs=0.05)
    (table,) = tables({"distractors": found})
    assert table.head[-1] == "recall of the search" and "flatter" in table.protocol


def of_file(vectors, tmp_path, sizes, count):
    """What `figures` makes of so many strangers, all named alike."""
    others = people_vectors(people=count, pictures=1, size=6, seed=5).values
    np.savez(tmp_path / "others.npz", embeddings=others, identities=["other"] * count)
    options = DistractorsOptions(sizes, tmp_path / "others.npz")
    config = EvaluateConfig(tmp_path, distractors=options, fars=FARS, draws=3, bootstrap=0)
    return distractors.figures(vectors, measured_of(vectors), config)


def test_real_strangers_come_first_and_what_is_made_up_is_marked(tmp_path):
    vectors = people_vectors(people=8, pictures=6, size=6, spread=0.5)
    found = of_file(vectors, tmp_path, (20, 30, 50), 30)
    (table,) = tables({"distractors": found})
    assert found["real"] == 30 and found["sizes"]["20"]["people"] == 1
    assert [row[0] for row in table.rows] == [
        "20 (1 person)",
        "30 (1 person)",
        "50 (1 person, 20 made up)",
    ]
    assert "30 pictures of 1 other people said to be by the same network" in table.note
    assert "others.npz does not say what made it), the first of everybody before" in table.note
    assert "the second of anybody, and beyond them made up" in table.note
    real = of_file(vectors, tmp_path, (20, 30), 30)
    assert real["sizes"] == {size: found["sizes"][size] for size in ("20", "30")}
    assert "made up" not in tables({"distractors": real})[0].note


def test_whom_a_system_was_trained_on_is_no_stranger(tmp_path):
    vectors = people_vectors(people=8, pictures=6, size=6)
    others = people_vectors(people=12, pictures=3, size=6, seed=5)
    names = others.roster.identities  # p0 to p7 are measured
    np.savez(tmp_path / "others.npz", embeddings=others.values, identities=names)
    options = DistractorsOptions((2,), tmp_path / "others.npz")
    config = EvaluateConfig(tmp_path, distractors=options)
    measured = measured_of(vectors, trained_on=frozenset({"p9"}))
    strangers, told = distractors.source_of(vectors, measured, config)
    assert len(strangers) == 9 and "of 3 other people" in told


@pytest.mark.parametrize(
    ("of_file", "measured", "told"),
    [
        (MADE, MADE, "by the same network"),
        (None, MADE, r"not checked: others\.npz does not say"),
        (MADE, None, "not checked: the measured file does not say"),
        (Made("b" * 64, MADE.embedding), MADE, r"by weights of SHA-256 b{12}…, not a{12}… as"),
        (Made(MADE.model_sha256, {"jitter": 2}), MADE, "made with jitter = 2, not 0 as"),
    ],
)
def test_strangers_of_another_network_are_refused(tmp_path, of_file, measured, told):
    vectors = people_vectors(people=8, pictures=6, size=6)
    vectors.save(tmp_path / "others.npz", of_file)
    options = DistractorsOptions((2,), tmp_path / "others.npz")
    config = EvaluateConfig(tmp_path, distractors=options)
    known = Measured(vectors.where(slice(6)).roster, [], None, None, None, None, 0, made=measured)
    if " as" in told:
        with pytest.raises(InputError, match=told):
            distractors.source_of(vectors, known, config)
    else:
        assert re.search(
            rf"of 7 other people .*{told}", distractors.source_of(vectors, known, config)[1]
        )


def test_nobody_is_made_up_after_a_handful(tmp_path):
    vectors = people_vectors(people=8, pictures=6, size=6)
    assert list(of_file(vectors, tmp_path, (5, 9), 9)["sizes"]) == ["5", "9"]
    with pytest.raises(InputError, match="give a smaller number"):
        of_file(vectors, tmp_path, (10,), 9)


@pytest.mark.parametrize(("distance", "told"), [(0.52, False), (0.53, True)])
def test_strangers_farther_away_than_people_are_said_to_flatter(crowd, source, distance, told):
    found = {"strangers": "made up", **figures_of(crowd, source)}
    found["distances"] = {
        "people": {"nearest_thousandth": 0.5},
        "distractors": {"nearest_thousandth": distance},
    }
    assert ("the figures flatter" in tables({"distractors": found})[0].note) == told
