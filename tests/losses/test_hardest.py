import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import Memory
from facenet_tf.losses.hardest import hardest_distances

from .twin import unit

RANDOM = np.random.default_rng(17)
ROWS = np.float32(unit(RANDOM.normal(size=(23, 5))))
LABELS = RANDOM.integers(6, size=23)
SOURCES = RANDOM.integers(15, size=23)
MEMORY = Memory(
    embeddings=tf.constant(np.float32(unit(RANDOM.normal(size=(9, 5))))),
    labels=tf.constant(RANDOM.integers(6, size=9)),
    sources=tf.constant(RANDOM.integers(15, size=9)),
    filled=tf.constant(np.arange(9) < 7),
)
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def distances_and_gradient(rows, jit, tile, distance="plain", **tensors):
    @tf.function(jit_compile=jit)
    def compute(rows, tensors):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            hardest = hardest_distances(rows, tf.constant(LABELS), distance, tile=tile, **tensors)
            # Different weights, lest the gradients of two rows cancel.
            weights = tf.range(1.0, 1.0 + len(LABELS))
            total = tf.reduce_sum(weights * (hardest.positive - 0.3 * hardest.negative))
        return *hardest, tape.gradient(total, rows)

    return [each.numpy() for each in compute(tf.constant(rows), tensors)]


@pytest.mark.parametrize(
    ("tile", "distance"),
    [(1, "plain"), (5, "plain"), (23, "plain"), (40, "plain"), (5, "squared"), (5, "cosine")],
)
def test_tiles_change_nothing(tile, distance):
    whole = distances_and_gradient(ROWS, False, 0, distance)
    tiled = distances_and_gradient(ROWS, False, tile, distance)
    for one, other in zip(tiled, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_tiles_with_sources_and_memory(jit):
    tensors = {"sources": tf.constant(SOURCES), "memory": MEMORY}
    whole = distances_and_gradient(ROWS, False, 0, **tensors)
    tiled = distances_and_gradient(ROWS, jit, 7, **tensors)
    for one, other in zip(tiled, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    alone = distances_and_gradient(ROWS, False, 0)
    assert not np.allclose(whole[1], alone[1]), "the memory made no difference"


def test_of_equally_hard_candidates_the_first_is_taken(jit):
    """Corners of a square on the integers, exact in float32, so that ties are ties."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    rows = corners[np.arange(23) % 4]
    for tile in (0, 5):
        *_, gradient = distances_and_gradient(rows, jit, tile)
        expected = np.zeros_like(rows)
        for a, row in enumerate(rows):
            lengths = np.linalg.norm(row - rows, axis=1)
            same = np.equal(LABELS, LABELS[a])
            within = np.where(same & (np.arange(23) != a), lengths, -1)
            apart = np.where(same, np.inf, lengths)
            choices = ((within.argmax(), 1.0, within.max()), (apart.argmin(), -0.3, apart.min()))
            for b, weight, length in choices:
                if 0 < length < np.inf:
                    slope = (1 + a) * weight * (row - rows[b]) / length
                    expected[a] += slope
                    expected[b] -= slope
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5)


def test_a_negative_tile_is_refused():
    with pytest.raises(ValueError, match="tile must be a number of rows"):
        hardest_distances(tf.constant(ROWS), tf.constant(LABELS), "plain", tile=-1)


def peak(batch, tile, mode):
    """MiB above TensorFlow and the inputs, forward and backward, compilation included."""
    command = [sys.executable, "loss_memory.py", "triplet/batch_hard", "--mode", mode]
    command += ["--batch", str(batch), "--options", json.dumps({"tile": tile})]
    done = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["peak_mib"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["jit", "graph"])
class TestMemory:
    def test_a_batch_of_1800_takes_a_few_matrices(self, mode):
        matrix = 1800**2 * 4 / 2**20
        assert peak(1800, 0, mode) - peak(16, 0, mode) < 6 * matrix

    def test_16384_in_tiles(self, mode):
        assert peak(16384, 512, mode) <= 1024

    def test_65536_in_tiles(self, mode):
        assert peak(65536, 256, mode) <= 2048
