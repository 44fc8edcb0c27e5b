import numpy as np
import pytest

from facenet_tf.curation import near
from facenet_tf.curation.near import near_hashes, near_vectors
from facenet_tf.errors import InputError


def planted_hashes(seed: int, count: int = 400) -> np.ndarray:
    """Hashes of which half are others with up to twelve bits flipped."""
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 2**64, count, dtype=np.uint64)
    for at in range(count // 2, count):
        flipped = random.choice(64, random.integers(0, 13), replace=False)
        change = sum(1 << int(bit) for bit in flipped)
        hashes[at] = hashes[at - count // 2] ^ np.uint64(change)
    return hashes


def brute_force(left, right, most):
    bits = [[(int(a) ^ int(b)).bit_count() for b in right] for a in left]
    return sorted((i, j, bits[i][j]) for i, j in zip(*np.nonzero(np.array(bits) <= most)))


def as_tuples(pairs):
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist()))


class TestHashes:
    @pytest.mark.parametrize("most", [0, 3, 4, 7, 9])
    def test_are_those_of_brute_force(self, most):
        left, right = planted_hashes(0), planted_hashes(1)[:50]
        right[:20] = left[:20] ^ np.uint64(0b1000_0001_0001)
        assert as_tuples(near_hashes(left, right, most)) == brute_force(left, right, most)

    def test_within_a_set_each_pair_comes_once(self):
        hashes = planted_hashes(2)
        expected = [(i, j, bits) for i, j, bits in brute_force(hashes, hashes, 6) if i < j]
        assert len(expected) > 50
        assert as_tuples(near_hashes(hashes, hashes, 6).within()) == expected

    def test_small_blocks_change_nothing(self, monkeypatch):
        hashes = planted_hashes(3) & np.uint64(0xFF)  # many equal bands
        whole = as_tuples(near_hashes(hashes, hashes, 2))
        monkeypatch.setattr(near, "_CANDIDATES", 7)
        assert as_tuples(near_hashes(hashes, hashes, 2)) == whole

    def test_nothing_near(self):
        pairs = near_hashes(np.array([0], np.uint64), np.array([2**64 - 1], np.uint64), 4)
        assert [len(column) for column in pairs] == [0, 0, 0]

    def test_too_many_pairs_are_refused(self, monkeypatch):
        monkeypatch.setattr(near, "MOST_PAIRS", 99)
        same = np.zeros(10, np.uint64)
        with pytest.raises(InputError, match="smaller distance"):
            near_hashes(same, same, 0)


class TestVectors:
    def unit(self, seed, count=90):
        rows = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    @pytest.mark.parametrize("most", [0.0, 0.1, 0.9])
    def test_are_those_of_brute_force(self, most, monkeypatch):
        monkeypatch.setattr(near, "_BLOCK", 32)
        monkeypatch.setattr(near, "_CANDIDATES", 11)
        left, right = self.unit(0), self.unit(1, 70)
        right[5] = left[80]
        difference = left[:, None].astype(float) - right[None]
        squared = (difference**2).sum(-1)
        expected = sorted(zip(*np.nonzero(squared <= most)))
        pairs = near_vectors(left, right, most)
        assert list(zip(pairs.left, pairs.right)) == expected
        assert (80, 5) in expected
        np.testing.assert_allclose(pairs.distance, [squared[at] for at in expected], atol=1e-12)
