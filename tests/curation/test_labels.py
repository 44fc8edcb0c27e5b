import sys

import numpy as np
import pytest

from facenet_tf.curation import labels as labels_module
from facenet_tf.curation.labels import find_suspects, out_of_sample
from facenet_tf.errors import InputError
from tests.evaluation.made_up import people_vectors


def swapped_people(share=0.05, people=40, pictures=25):
    """Vectors of made-up people, the given labels, and which of these are wrong."""
    vectors = people_vectors(people, pictures, size=48, spread=0.5).values
    true = np.repeat(np.arange(people), pictures)
    random = np.random.default_rng(1)
    wrong = random.choice(len(true), round(share * len(true)), replace=False)
    given = true.copy()
    given[wrong] = (true[wrong] + random.integers(1, people, len(wrong))) % people
    return vectors, given, true


class TestProbabilities:
    def test_are_probabilities_and_mostly_right(self):
        vectors, given, true = swapped_people()
        found = out_of_sample(vectors, given, folds=5, seed=0)
        assert found.shape == (1000, 40)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        assert (found.argmax(axis=1) == true).mean() > 0.97

    def test_a_picture_has_no_part_in_its_own(self):
        # Noise has nothing to do with the labels: only a picture's own share could tell them.
        random = np.random.default_rng(0)
        vectors = random.normal(size=(400, 300)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        labels = np.repeat(np.arange(40), 10)
        found = out_of_sample(vectors, labels, folds=5, seed=0)
        assert (found.argmax(axis=1) == labels).mean() < 0.1

    def test_follow_from_the_seed(self):
        vectors, given, _ = swapped_people()
        one, same, other = (out_of_sample(vectors, given, 5, seed) for seed in (3, 3, 4))
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)

    def test_a_single_person_is_refused(self):
        with pytest.raises(InputError, match="nobody to mistake"):
            out_of_sample(np.eye(6, dtype=np.float32), np.zeros(6, np.int64), 2, 0)

    def test_too_large_a_table_is_refused(self, monkeypatch):
        monkeypatch.setattr(labels_module, "MOST_CELLS", 39_999)
        vectors, given, _ = swapped_people()
        with pytest.raises(InputError, match="--split"):
            out_of_sample(vectors, given, 5, 0)


def test_swapped_labels_are_found_with_the_true_ones():
    pytest.importorskip("cleanlab")
    vectors, given, true = swapped_people()
    found = find_suspects(out_of_sample(vectors, given, 5, 0), given)
    wrong = np.flatnonzero(given != true)
    hits = np.isin(found.row, wrong)
    assert hits.mean() >= 0.9
    assert np.isin(wrong, found.row).mean() >= 0.9
    assert (found.proposed[hits] == true[found.row[hits]]).mean() >= 0.9
    assert (found.proposed != given[found.row]).all()
    assert (np.diff(found.own) >= 0).all()
    assert (found.own + found.other <= 1 + 1e-9).all()


def test_without_cleanlab_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(InputError, match=r"facenet-tf\[clean\]"):
        find_suspects(np.full((4, 2), 0.5), np.array([0, 0, 1, 1]))
