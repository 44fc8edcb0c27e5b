"""Few-shot figures on made-up vectors, against a loop that enrols and names one by one."""

import json

import numpy as np
import pytest
from sklearn.svm import SVC

from facenet_tf.evaluation.protocols import few_shot
from facenet_tf.evaluation.protocols.few_shot import RULES, few_shot_figures
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.metrics import places_among_own

from ...metrics import twins
from ..made_up import people_vectors

SHOTS, DRAWS = (1, 2, 5), 4


def figures_of(vectors, shots=SHOTS, draws=DRAWS, seed=0):
    return few_shot_figures(vectors, shots=shots, draws=draws, seed=seed)


def by_hand(vectors, shots, draws, seed=0):
    """Accuracy and mean over the people of each rule in each draw, of pictures with a record."""
    names, rows = vectors.roster.identities, vectors.values
    found = {rule: [] for rule in RULES}
    for draw in range(draws):
        places = places_among_own(names, np.random.default_rng([seed, draw]))
        enrolled = [row for row in range(len(names)) if places[row] < shots]
        probes = [row for row in range(len(names)) if places[row] >= shots]
        svm = SVC().fit(rows[enrolled], names[enrolled])
        named = {
            "nearest_mean": twins.nearest_mean(rows[enrolled], names[enrolled], rows[probes]),
            "nearest_neighbour": twins.nearest_neighbour(
                rows[enrolled], names[enrolled], rows[probes]
            ),
            "svm": svm.predict(rows[probes]),
        }
        for rule, given in named.items():
            right = {name: [] for name in set(names)}
            for probe, name in zip(probes, given):
                right[names[probe]].append(name == names[probe])
            everything = [flag for flags in right.values() for flag in flags]
            found[rule].append((np.mean(everything), np.mean([np.mean(f) for f in right.values()])))
    return found


@pytest.mark.parametrize("shots", SHOTS)
def test_figures_are_those_of_the_slow_protocol(shots):
    vectors = people_vectors(people=3, pictures=(6, 8, 14), spread=1.2)
    figures = figures_of(vectors)["shots"][str(shots)]
    assert figures["probes"] == 28 - 3 * shots
    for rule, values in by_hand(vectors, shots, DRAWS).items():
        (accuracy, balanced), (deviation, of_balanced) = (
            np.mean(values, axis=0),
            np.std(values, axis=0, ddof=1),
        )
        assert figures[rule]["accuracy_mean"] == pytest.approx(accuracy)
        assert figures[rule]["accuracy_std"] == pytest.approx(deviation)
        assert figures[rule]["balanced_mean"] == pytest.approx(balanced)
        assert figures[rule]["balanced_std"] == pytest.approx(of_balanced)


def test_a_person_with_too_few_pictures_is_left_out_and_counted():
    vectors = people_vectors(people=4, pictures=(6, 5, 9, 7), lost=(20,))
    figures = figures_of(vectors)
    assert (figures["people"], figures["pictures"]) == (3, 22)
    out = figures["left_out"]
    assert (out["people"], out["pictures"]) == (1, 5)
    assert out["rule"] == "people with fewer than 6 pictures that have a record"
    fewer = figures_of(vectors, shots=(1, 2))
    assert (fewer["people"], fewer["left_out"]["people"]) == (4, 0)


def test_a_picture_without_a_record_cannot_be_enrolled_nor_take_its_person_along():
    """Six pictures, one of them lost, leave five: none would be left to be named."""
    figures = figures_of(people_vectors(people=3, pictures=(6, 7, 7), lost=(2,)))
    assert (figures["people"], figures["lost_pictures"]) == (2, 0)


def test_a_picture_without_a_record_is_an_error_in_every_draw():
    vectors = people_vectors(people=3, pictures=9, spread=0.05, lost=(0, 1, 10))
    figures = figures_of(vectors)
    assert figures["lost_pictures"] == 3
    one = figures["shots"]["1"]
    assert one["probes"] == 27 - 3
    for rule in RULES:
        assert one[rule]["accuracy_mean"] == pytest.approx(1 - 3 / 24)
        assert one[rule]["accuracy_std"] == 0
        assert one[rule]["balanced_mean"] == pytest.approx(1 - (2 / 8 + 1 / 8) / 3)


def test_more_enrolled_pictures_help_and_noise_does_not_name():
    shots = figures_of(people_vectors(people=6, size=32, spread=1.0), draws=8)["shots"]
    means = [shots[str(count)]["nearest_mean"]["accuracy_mean"] for count in SHOTS]
    assert means == sorted(means) and means[0] < means[-1]
    noise = figures_of(people_vectors(people=6, spread=50.0))["shots"]["5"]
    assert all(noise[rule]["accuracy_mean"] < 0.4 for rule in RULES)


def test_other_vectors_of_the_same_pictures_have_the_same_draws():
    vectors = people_vectors(spread=1.0)
    turned = Vectors(vectors.roster, vectors.values[:, ::-1])  # distances stay
    assert figures_of(vectors)["shots"] == figures_of(turned)["shots"]


def test_the_seed_decides_the_draws():
    vectors = people_vectors(spread=1.5)
    assert figures_of(vectors) == figures_of(vectors)
    assert figures_of(vectors)["shots"] != figures_of(vectors, seed=1)["shots"]


@pytest.mark.parametrize("vectors", [people_vectors(people=1), people_vectors(pictures=5)])
def test_fewer_than_two_people_are_a_reason_not_a_crash(vectors):
    figures = figures_of(vectors)
    assert "two are needed" in figures["skipped"]
    assert "shots" not in figures
    json.dumps(figures, allow_nan=False)


def test_of_many_pictures_whole_people_are_drawn_and_the_others_counted(monkeypatch):
    monkeypatch.setattr(few_shot, "MOST_PICTURES", 30)
    figures = figures_of(people_vectors(people=5, pictures=(9, 9, 9, 9, 3)))
    assert (figures["people"], figures["pictures"]) == (3, 27)
    assert (figures["left_out"]["people"], figures["not_drawn"]["people"]) == (1, 1)
    assert figures["not_drawn"]["pictures"] == 9
    assert "30 pictures" in figures["not_drawn"]["rule"]
