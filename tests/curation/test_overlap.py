import numpy as np
import pytest

from facenet_tf.curation import overlap
from facenet_tf.curation.config import OverlapConfig
from facenet_tf.curation.overlap import find_overlap
from facenet_tf.errors import InputError
from facenet_tf.metrics.distances import all_pairs_distances


def thumbnails(crops):
    """Crops as vectors of length 1."""
    small = crops[:, ::4, ::4].reshape(len(crops), -1).astype(np.float32)
    small -= small.mean(axis=1, keepdims=True)
    return small / np.linalg.norm(small, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def found(repeating, other):
    return find_overlap(repeating, other, OverlapConfig())


def test_names_are_compared_without_spelling(found):
    (pair,) = found["identities"]["same_name"]
    assert (pair["first"], pair["second"]) == ("bob", "Bob")
    assert {pair["first_split"], pair["second_split"]} <= {"train", "validation", "test"}


def test_same_bytes_and_near_duplicates(found):
    (same,) = found["images"]["same_bytes"]
    assert (same["first"], same["second"]) == ("bob/2.jpg", "eve/same.jpg")
    assert (same["first_identity"], same["second_identity"]) == ("bob", "eve")
    (near,) = found["images"]["near_duplicates"]
    assert (near["first"], near["second"]) == ("cy/1.jpg", "dan/near.jpg")
    assert near["bits"] <= 4


def test_counts_and_protocols(found):
    assert found["counts"] == {"same_name": 1, "same_bytes": 1, "near_duplicates": 1}
    assert "no model" in found["protocols"]["same_face"]
    assert "4 of 64 bits" in found["protocols"]["near_duplicates"]
    assert found["first"]["identities"] == 3


def test_a_dataset_overlaps_with_itself(repeating):
    found = find_overlap(repeating, repeating, OverlapConfig(), thumbnails)
    assert found["counts"]["same_name"] == 3
    assert found["counts"]["same_bytes"] >= len(repeating.rows)
    own = {
        pair["first"]
        for pair in found["identities"]["same_face"]
        if pair["first"] == pair["second"]
    }
    assert own == {"ann", "bob", "cy"}


class TestFaces:
    """People as points on a circle, in the place of datasets."""

    @pytest.fixture(autouse=True)
    def points(self, monkeypatch):
        monkeypatch.setattr(overlap, "_centres", lambda people, embed, batch_size: people)

    def people(self, letter, *degrees):
        angles = np.radians(degrees)
        rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        return [f"{letter}{degree}" for degree in degrees], rows

    @pytest.mark.parametrize(
        ("false_matches", "degrees", "expected"),
        [
            # Nine pairs within, the nearest of 10, 40 and 60 degrees; twelve pairs across.
            (0, 10, []),
            (1, 10, []),
            (1.4, 40, [("a0", "b-13"), ("a100", "b117")]),
            (2.7, 60, [("a0", "b-13"), ("a100", "b117"), ("a40", "b-13")]),
        ],
    )
    def test_listed_are_those_nearer_than_by_chance(self, false_matches, degrees, expected):
        first = self.people("a", 0, 40, 100)
        second = self.people("b", -13, 117, 207, 217)
        config = OverlapConfig(false_matches=false_matches)
        pairs, limit = overlap._same_faces(first, second, config, None)
        assert limit == pytest.approx(2 - 2 * np.cos(np.radians(degrees)), abs=1e-6)
        assert [(pair["first"], pair["second"]) for pair in pairs] == expected
        assert all(pair["squared_distance"] < limit for pair in pairs)

    def test_without_two_people_in_either_there_is_no_measure(self):
        with pytest.raises(InputError, match="two people"):
            overlap._same_faces(self.people("a", 0), self.people("b", 0), OverlapConfig(), None)


@pytest.mark.parametrize("count", [1, 7, 10_000])
def test_smallest_distances_are_those_of_brute_force(count, monkeypatch):
    monkeypatch.setattr(overlap, "_ROWS_AT_ONCE", 8)
    rows = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = np.sort(all_pairs_distances(rows))[:count]
    np.testing.assert_allclose(np.sort(overlap._smallest(rows, count)), expected, atol=1e-6)
