"""Mean embeddings, and who is nearest, against NumPy spelt out."""

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.training import confusion
from facenet_tf.training.confusion import most_alike, with_last_turn


def unit_rows(count, size=6, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("jit", [False, True])
def test_signatures_become_the_means_of_those_in_the_batch(jit):
    rows, labels = unit_rows(9), np.array([4, 1, 4, 4, 7, 1, 0, 0, 7])
    before = unit_rows(10, seed=1)
    function = tf.function(with_last_turn, jit_compile=jit)
    found = function(before, tf.constant(rows), tf.constant(labels, tf.int32)).numpy()
    for person in range(10):
        own = rows[labels == person]
        expected = own.mean(0) if len(own) else before[person]
        np.testing.assert_allclose(found[person], expected, atol=1e-6)


def test_a_mixed_picture_counts_by_its_share():
    rows, share = unit_rows(3), np.array([0.5, 1.0, 0.75], np.float32)
    found = with_last_turn(tf.zeros([2, 6]), rows, tf.constant([1, 0, 1]), share).numpy()
    expected = [rows[1], (0.5 * rows[0] + 0.75 * rows[2]) / 1.25]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("cells", [10, 2**24])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_most_alike_are_the_nearest_by_cosine(monkeypatch, cells, count):
    monkeypatch.setattr(confusion, "_CELLS", cells)
    rows = unit_rows(25) * np.linspace(0.1, 1.0, 25)[:, None].astype(np.float32)
    found = most_alike(tf.constant(rows), count)
    assert found.shape == (25, count) and found.dtype == np.int32
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for person, nearest in enumerate(found):
        order = [each for each in np.argsort(-unit @ unit[person]) if each != person]
        assert nearest.tolist() == order[:count]


def test_who_had_no_turn_is_nobodys_partner():
    rows = unit_rows(6)
    rows[[1, 4]] = 0
    found = most_alike(tf.constant(rows), 8)
    assert (found[[1, 4]] == -1).all()
    for person in (0, 2, 3, 5):
        assert sorted(found[person].tolist()) == [-1] * 5 + sorted({0, 2, 3, 5} - {person})


def test_the_first_epoch_of_all_finds_nobody():
    assert (most_alike(tf.zeros([5, 4]), 3) == -1).all()
