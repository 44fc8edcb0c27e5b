"""Draws of enrolled pictures, and the two rules of the nearest against their slow definitions."""

import numpy as np
import pytest

from facenet_tf.metrics import (
    nearest_mean,
    nearest_names,
    nearest_neighbour,
    person_means,
    places_among_own,
)

from . import twins

RULES = [nearest_mean, nearest_neighbour]


def some_people(people=5, enrolled=3, probes=40, size=6, seed=0):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(people * enrolled + probes, size)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = random.permutation(np.repeat(np.arange(people), enrolled))
    return rows[: len(labels)], labels, rows[len(labels) :]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("enrolled", [1, 2, 5])
def test_names_are_those_of_the_slow_definition(rule, enrolled):
    vectors, labels, probes = some_people(enrolled=enrolled, seed=enrolled)
    expected = getattr(twins, rule.__name__)(vectors, labels, probes)
    assert rule(vectors, labels, probes).tolist() == expected


def test_with_one_picture_each_both_rules_are_one():
    given = some_people(enrolled=1)
    np.testing.assert_array_equal(nearest_mean(*given), nearest_neighbour(*given))


def test_the_rules_differ_where_a_lone_picture_strays():
    stray, own = [0.6, 0.8], [1.0, 0.0]
    enrolled, labels = np.array([own, own, stray, [0.0, 1.0]]), np.array(["a", "a", "a", "b"])
    probe = np.array([[0.55, 0.83516465]])
    assert nearest_neighbour(enrolled, labels, probe) == ["a"]
    assert nearest_mean(enrolled, labels, probe) == ["b"]


def test_the_length_of_a_mean_does_not_matter():
    """Two opposed pictures have a short mean, which unscaled would be near to everything."""
    apart = [[0.1, 0.99498744], [0.1, -0.99498744]]
    enrolled, labels = np.array([*apart, [-1.0, 0.0], [-1.0, 0.0]]), np.array([0, 0, 1, 1])
    assert nearest_mean(enrolled, labels, np.array([[-0.2, 0.9797959]])) == [1]


@pytest.mark.parametrize("rule", RULES)
def test_more_probes_than_are_compared_at_once(rule):
    vectors, labels, probes = some_people(probes=5000, size=3)
    named = rule(vectors, labels, probes)
    chosen = [0, 4095, 4096, 4999]
    assert named[chosen].tolist() == rule(vectors, labels, probes[chosen]).tolist()
    assert rule(vectors, labels, probes[:0]).shape == (0,)


def test_places_number_each_persons_pictures():
    labels = np.array([3, 1, 3, 3, 1, 2])
    places = places_among_own(labels, np.random.default_rng(0))
    for person, count in ((1, 2), (2, 1), (3, 3)):
        assert sorted(places[labels == person]) == list(range(count))


def test_every_picture_is_drawn_as_often_as_the_others():
    labels = np.array(list("abababbb"))
    random = np.random.default_rng(0)
    enrolled = np.mean([places_among_own(labels, random) < 2 for _ in range(4000)], axis=0)
    expected = np.where(labels == "a", 2 / 3, 2 / 5)
    np.testing.assert_allclose(enrolled, expected, atol=0.03)


def test_people_are_drawn_independently():
    labels = np.repeat([0, 1], 4)
    random = np.random.default_rng(0)
    drawn = np.array([places_among_own(labels, random) == 0 for _ in range(4000)])
    together = drawn[:, :4].T.astype(float) @ drawn[:, 4:] / 4000
    np.testing.assert_allclose(together, 1 / 16, atol=0.02)


def test_nearest_names_come_with_the_distance_to_the_last_digit():
    vectors, labels, probes = some_people()
    names, distance = nearest_names(labels, vectors, probes)
    apart = ((probes[:, None].astype(float) - vectors[None].astype(float)) ** 2).sum(axis=2)
    assert names.tolist() == labels[apart.argmin(axis=1)].tolist()
    np.testing.assert_allclose(distance, apart.min(axis=1), rtol=1e-12)
    near = vectors[:1].astype(float) * (1 + 1e-9)
    assert nearest_names(labels, vectors, near)[1] == pytest.approx(1e-18, rel=0.1)


def test_means_have_length_one_and_one_of_zeros_stays():
    names, means = person_means([[3.0, 0.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [7, 7, 2, 2])
    assert names.tolist() == [2, 7]
    assert means.tolist() == [[0.0, 0.0], [1.0, 0.0]]
