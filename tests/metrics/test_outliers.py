import numpy as np
import pytest

from facenet_tf.metrics import own_person


def made_up(people=5, pictures=4, size=6):
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(people) * 3 + 1, pictures)
    random.shuffle(labels)
    rows = random.normal(size=(len(labels), size))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels


def by_hand(rows, labels):
    for number, (row, label) in enumerate(zip(rows, labels)):
        others = np.arange(len(rows)) != number
        means = {
            name: np.mean(rows[others & (labels == name)], axis=0) for name in set(labels[others])
        }
        means = {name: mean / np.linalg.norm(mean) for name, mean in means.items()}
        apart = {name: ((row - mean) ** 2).sum() for name, mean in means.items()}
        own = apart.pop(label, np.nan)
        nearest = min(apart, key=apart.get)
        yield own, apart[nearest], nearest


@pytest.mark.parametrize("at_once", [1, 17, 4_000_000])
def test_distances_are_those_of_a_loop(at_once, monkeypatch):
    monkeypatch.setattr("facenet_tf.metrics.outliers._NUMBERS_AT_ONCE", at_once)
    rows, labels = made_up()
    found = own_person(rows, labels)
    for number, (own, other, nearest) in enumerate(by_hand(rows, labels)):
        assert found.own[number] == pytest.approx(own)
        assert found.other[number] == pytest.approx(other)
        assert found.nearest[number] == nearest


def test_an_only_picture_has_no_own_person_and_one_person_no_other():
    rows, _ = made_up(people=3, pictures=1)
    alone = own_person(rows, np.array([0, 1, 1]))
    assert np.isnan(alone.own).tolist() == [True, False, False]
    together = own_person(rows, np.zeros(3, int))
    assert np.isnan(together.other).all()
    assert (together.nearest == -1).all()


def test_a_picture_under_a_wrong_name_is_nearer_to_its_own():
    random = np.random.default_rng(1)
    centres = np.eye(4)[np.repeat(np.arange(4), 6)]
    rows = centres + 0.1 * random.normal(size=centres.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.repeat(np.arange(4), 6)
    labels[7] = 3
    found = own_person(rows, labels)
    assert np.flatnonzero(found.own > found.other).tolist() == [7]
    assert found.nearest[7] == 1


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"\[N, D\]"):
        own_person(np.zeros((3, 2)), np.zeros(2))
