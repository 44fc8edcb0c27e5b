import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.metrics import nearest
from facenet_tf.metrics.nearest import nearest_is_own


@pytest.fixture
def people():
    random = np.random.default_rng(3)
    labels = np.repeat(np.arange(9), [5, 1, 4, 3, 2, 6, 1, 4, 3])
    rows = random.normal(size=(9, 6))[labels] + 0.9 * random.normal(size=(len(labels), 6))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels


def test_agrees_with_the_table_of_all_distances(people, monkeypatch):
    vectors, labels = people
    monkeypatch.setattr(nearest, "_ROWS_AT_ONCE", 7)
    counted, right = nearest_is_own(vectors, labels)
    errors = metrics.identity_errors(labels, metrics.all_pairs_distances(vectors), 1.0)
    assert right.mean() == pytest.approx(metrics.rank1_accuracy(errors))
    assert 0.2 < right.mean() < 1
    np.testing.assert_array_equal(np.bincount(labels)[labels[counted]] > 1, True)
    assert len(counted) == len(labels) - 2


def test_picture_without_a_vector_is_wrong_and_near_to_nobody(people):
    vectors, labels = people
    counted, _ = nearest_is_own(vectors, labels)
    holed = vectors.copy()
    holed[0] = np.nan
    again = nearest_is_own(holed, labels)[1]
    assert not again[counted == 0].any()
    rest = nearest_is_own(vectors[1:], labels[1:])[1]
    np.testing.assert_array_equal(again[counted > 0], rest)


def test_tie_is_an_error():
    assert nearest_is_own([[1, 0], [1, 0], [1, 0]], [0, 0, 1])[1].tolist() == [False, False]


def test_one_person_is_always_right():
    assert nearest_is_own(np.eye(3), [0, 0, 0])[1].all()


def test_nobody_with_two_pictures_gives_nothing():
    counted, right = nearest_is_own(np.eye(3), [0, 1, 2])
    assert len(counted) == len(right) == 0


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="expected"):
        nearest_is_own(np.eye(3), [0, 1])
