import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import batch_hard_triplet, embedding_health

from .twin import batch_hard, unit

LABELS = np.repeat(np.arange(8), 3)
SPREAD = unit(np.random.default_rng(8).normal(size=(24, 6)))


def health(rows, jit=False, margin=0.2, **options):
    @tf.function(jit_compile=jit)
    def compute(rows):
        result = batch_hard_triplet(rows, tf.constant(LABELS), margin=margin, **options)
        return embedding_health(rows, result)

    figures = compute(tf.constant(rows, tf.float32))
    assert all(value.dtype == tf.float32 for value in figures.values())
    return {name: float(value) for name, value in figures.items()}


@pytest.mark.parametrize("margin", [0.2, "soft"])
def test_equals_twin(margin, jit):
    figures = health(SPREAD, jit, margin)
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


def test_collapse(jit):
    figures = health(np.tile(SPREAD[:1], (24, 1)), jit)
    assert figures["mean_distance"] == pytest.approx(0, abs=1e-6)
    assert figures["effective_rank"] == pytest.approx(1)
    assert figures["active_triplets"] == 1


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
