import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import batch_hard_triplet, embedding_health
from facenet_tf.losses.health import effective_rank

from .twin import batch_hard, unit

LABELS = np.repeat(np.arange(8), 3)
SPREAD = unit(np.random.default_rng(8).normal(size=(24, 6)))


def health(rows, jit=False, margin=0.2, tile=0, **options):
    @tf.function(jit_compile=jit)
    def compute(rows):
        result = batch_hard_triplet(rows, tf.constant(LABELS), margin=margin, tile=tile, **options)
        return embedding_health(rows, result, tile)

    figures = compute(tf.constant(rows, tf.float32))
    assert all(value.dtype == tf.float32 for value in figures.values())
    return {name: float(value) for name, value in figures.items()}


@pytest.mark.parametrize("tile", [0, 7, 24])
@pytest.mark.parametrize("margin", [0.2, "soft"])
def test_equals_twin(margin, tile, jit):
    figures = health(SPREAD, jit, margin, tile)
    hardest = np.array(batch_hard(SPREAD, LABELS, margin)[1])
    violated = hardest[:, 0] - hardest[:, 1] + (0 if margin == "soft" else margin) > 0
    singular = np.linalg.svd(SPREAD, compute_uv=False) ** 2
    distances = np.linalg.norm(SPREAD[:, None] - SPREAD[None], axis=2)
    expected = {
        "active_triplets": violated.mean(),
        "hardest_positive": hardest[:, 0].mean(),
        "hardest_negative": hardest[:, 1].mean(),
        "mean_distance": distances[~np.eye(24, dtype=bool)].mean(),
        "effective_rank": singular.sum() ** 2 / np.square(singular).sum(),
    }
    assert figures == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("tile", [0, 7])
def test_collapse(tile, jit):
    figures = health(np.tile(SPREAD[:1], (24, 1)), jit, tile=tile)
    assert figures["mean_distance"] == pytest.approx(0, abs=1e-6)
    assert figures["effective_rank"] == pytest.approx(1)
    assert figures["active_triplets"] == 1


@pytest.mark.parametrize("shape", [(9, 6), (6, 9), (6, 6)])
@pytest.mark.parametrize("known", [True, False])
def test_the_rank_is_that_of_the_singular_values(shape, known):
    rows = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    spec = tf.TensorSpec(shape if known else [None, shape[1]], tf.float32)
    found = tf.function(effective_rank, input_signature=[spec])(rows)
    squares = np.linalg.svd(rows.astype(np.float64), compute_uv=False) ** 2
    assert float(found) == pytest.approx(squares.sum() ** 2 / np.square(squares).sum(), rel=1e-5)


def test_solved_batch_has_no_active_triplets(jit):
    figures = health(np.repeat(np.eye(8), 3, axis=0), jit)
    assert figures["active_triplets"] == 0
    assert figures["hardest_positive"] == pytest.approx(0, abs=1e-6)
    assert figures["effective_rank"] == pytest.approx(8)


def test_zero_rows_and_nothing_valid_give_zero(jit):
    figures = health(np.zeros((24, 6)), jit, sources=tf.zeros(24, tf.int32))
    assert set(figures.values()) == {0.0}


def test_carries_no_gradient():
    rows = tf.constant(SPREAD)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        result = batch_hard_triplet(rows, tf.constant(LABELS), margin="soft")
        total = tf.add_n(list(embedding_health(rows, result).values()))
    assert tape.gradient(total, rows) is None
