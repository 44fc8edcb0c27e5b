"""Errors person by person, against loops over all pictures and scikit-learn's neighbours."""

import math

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from facenet_tf.metrics import all_pairs_distances, identity_errors, rank1_accuracy

from . import twins

LABELS = [7, 3, 3, 9, 7, 3, 12, 9, 3, 7, 9, 3]  # 12 has one picture


def made_up(seed, labels=LABELS, size=3):
    random = np.random.default_rng(seed)
    centres = {label: random.normal(size=size) for label in set(labels)}
    rows = np.array([centres[label] + random.normal(size=size) for label in labels])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("step", [0, 0.25, 1], ids=["no ties", "ties", "hardly a distance"])
@pytest.mark.parametrize("seed", range(8))
def test_equals_twin(seed, step):
    distance = all_pairs_distances(made_up(seed))
    distance = np.round(distance / step) * step if step else distance
    found = identity_errors(LABELS, distance, threshold=1.0)
    expected = twins.identity_errors(LABELS, distance, 1.0)
    assert [one.label for one in found] == [3, 7, 9, 12]
    for one in found:
        images, errors, confused, pairs, rejected = expected[one.label]
        assert (one.images, one.rank1_errors) == (images, errors)
        assert (one.genuine_pairs, one.rejected_pairs) == (pairs, rejected)
        most = max(confused.values(), default=0)
        assert one.confused_images == most
        assert one.confused_with == min(
            (label for label, count in confused.items() if count == most), default=None
        )


@pytest.mark.parametrize("seed", range(4))
def test_rank1_is_that_of_the_nearest_neighbour(seed):
    labels = np.arange(60) % 12
    rows = made_up(seed, labels.tolist())
    nearest = NearestNeighbors(n_neighbors=1).fit(rows).kneighbors(return_distance=False)[:, 0]
    errors = identity_errors(labels, all_pairs_distances(rows), threshold=1.0)
    expected = np.mean(labels[nearest] == labels)
    assert 0.1 < expected < 0.9
    assert rank1_accuracy(errors) == pytest.approx(expected)


def test_a_collapsed_model_has_no_picture_right():
    errors = identity_errors(LABELS, np.zeros(66), threshold=0.0)
    assert rank1_accuracy(errors) == 0
    assert [one.rank1_errors for one in errors] == [5, 3, 3, 0]
    assert [one.rejected_pairs for one in errors] == [0, 0, 0, 0]


def test_a_perfect_model_confuses_nobody():
    labels = np.array(LABELS)
    rows = np.eye(13)[labels]
    errors = identity_errors(labels, all_pairs_distances(rows), threshold=0.5)
    assert rank1_accuracy(errors) == 1
    assert {(one.confused_with, one.confused_images) for one in errors} == {(None, 0)}


def test_an_infinite_genuine_distance_is_an_error():
    errors = identity_errors([0, 0, 1], [np.inf, 2.0, 3.0], threshold=9.0)
    assert (errors[0].rank1_errors, errors[0].rejected_pairs) == (2, 1)
    assert (errors[0].confused_with, errors[0].confused_images) == (1, 2)


def test_nobody_to_confuse():
    alone = identity_errors([4, 4], [np.inf], threshold=0.5)
    assert [(one.rank1_errors, one.rejected_pairs) for one in alone] == [(0, 1)]
    strangers = identity_errors([1, 2], [0.1], threshold=0.5)
    assert [(one.rank1_errors, one.genuine_pairs) for one in strangers] == [(0, 0), (0, 0)]
    assert math.isnan(rank1_accuracy(strangers))


@pytest.mark.parametrize(
    ("labels", "distance", "message"),
    [([1, 1, 2], [0.5], "one length"), ([1], [], "empty"), ([1, 1], [np.nan], "NaN")],
)
def test_bad_input_is_refused(labels, distance, message):
    with pytest.raises(ValueError, match=message):
        identity_errors(labels, distance, threshold=1.0)
