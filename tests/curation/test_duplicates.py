import numpy as np
import pytest

from facenet_tf.curation.duplicates import LIST_COLUMNS, list_duplicates, near_records
from facenet_tf.errors import InputError


def listed(dataset, across="report", most=4, embed=None):
    return list_duplicates(dataset, near_records(dataset, most, embed, 5), across)


def told(lines):
    return [(line["path"], line["other"], line["exclude"]) for line in lines]


ACROSS = [
    ("ann/2.jpg", "bob/4 of ann.jpg"),
    ("ann/3.jpg", "cy/5 of ann.jpg"),
    ("ann/5 same.jpg", "cy/5 of ann.jpg"),
    ("bob/4 of ann.jpg", "ann/2.jpg"),
    ("cy/5 of ann.jpg", "ann/3.jpg"),
]


def test_lists_what_repeats_and_nothing_else(repeating):
    lines = listed(repeating)
    expected = [(*pair, "no") for pair in ACROSS]
    assert told(lines) == [*expected, ("ann/4 again.jpg", "ann/1.jpg", "yes")]
    assert all(set(line) == set(LIST_COLUMNS) for line in lines)


def test_pictures_under_two_people_are_dropped_by_option(repeating):
    assert {line["exclude"] for line in listed(repeating, "drop")} == {"yes"}


def test_reasons(repeating):
    reasons = {line["path"]: line["reason"] for line in listed(repeating)}
    assert reasons["ann/4 again.jpg"] == "near duplicate of ann/1.jpg"
    assert reasons["bob/4 of ann.jpg"] == "near duplicate of ann/2.jpg, filed under ann"
    assert reasons["cy/5 of ann.jpg"] == "same bytes as ann/3.jpg, filed under ann"


def test_by_vectors_of_a_given_function(repeating):
    def mean_colour(crops):
        rows = crops.mean(axis=(1, 2)).astype(np.float32) - 128
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    lines = listed(repeating, most=1e-3, embed=mean_colour)
    assert ("ann/4 again.jpg", "ann/1.jpg", "yes") in told(lines)
    assert listed(repeating, most=4.0, embed=mean_colour)[-1]["distance"] > 0.1


def test_vectors_that_are_not_finite_are_refused(repeating):
    with pytest.raises(InputError, match="not finite"):
        listed(repeating, embed=lambda crops: np.full((len(crops), 2), np.nan, np.float32))
