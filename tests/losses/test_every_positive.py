"""What holds for every loss whose triplets are walked one positive at a time."""

import functools
import re

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import (
    Memory,
    batch_all_triplet,
    distance_weighted_triplet,
    hard_positive_semi_hard_negative_triplet,
    mean_loss,
    semi_hard_triplet,
)

from .twin import unit

LABELS = np.array([0, 0, 1, 1, 2, 2, 2, 3, 0, 1, 2, 3, 3, 1, 0, 4])
ROWS = unit(np.random.default_rng(8).normal(size=(16, 5))).astype(np.float32)
FIXED = [batch_all_triplet, semi_hard_triplet, hard_positive_semi_hard_negative_triplet]
ALL = [*FIXED, functools.partial(distance_weighted_triplet, seed=tf.constant([1, 2]))]


@pytest.mark.parametrize("loss", FIXED)
def test_memory_is_compared_with_as_the_batch_is(loss):
    """Half of a batch, the other half in memory: its anchors see what they see in the whole."""
    whole = loss(tf.constant(ROWS), tf.constant(LABELS), margin="soft")
    empty = np.zeros_like(ROWS[:3])
    memory = Memory(
        tf.constant(np.concatenate([ROWS[8:], empty])),
        tf.constant(np.concatenate([LABELS[8:], [0, 0, 9]])),
        tf.range(11),
        tf.constant([True] * 8 + [False] * 3),
    )
    half = loss(tf.constant(ROWS[:8]), tf.constant(LABELS[:8]), margin="soft", memory=memory)
    np.testing.assert_array_equal(half.weight, whole.weight[:8])
    np.testing.assert_allclose(half.loss, whole.loss[:8], rtol=1e-5)


@pytest.mark.parametrize("loss", ALL)
def test_same_picture_twice_is_no_positive(loss):
    rows, labels = tf.constant(ROWS[:3]), tf.constant([0, 0, 1])
    assert loss(rows, labels).weight.numpy().tolist() == [1, 1, 0]
    found = loss(rows, labels, sources=tf.constant([5, 5, 6]))
    assert found.weight.numpy().tolist() == [0, 0, 0]


@pytest.mark.parametrize("loss", ALL)
def test_nan_is_not_hidden(loss):
    rows = ROWS.copy()
    rows[4, 1] = np.nan
    assert np.isnan(mean_loss(loss(tf.constant(rows), tf.constant(LABELS), margin="soft")))


@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize("jit", [True, False])
def test_no_tensor_holds_all_triplets(loss, jit):
    """Neither in the compiled program nor among the operations of the graph, gradient included."""
    size, width = 24, 16

    @tf.function(jit_compile=jit)
    def step(rows, labels):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            value = mean_loss(loss(rows, labels, margin="soft"))
        return value, tape.gradient(value, rows)

    batch = tf.random.stateless_normal([size, width], [1, 2]), tf.range(size) // 4
    if jit:
        program = step.experimental_get_compiler_ir(*batch)(stage="optimized_hlo")
        found = re.findall(r"\w+\[([\d,]+)\]", program)
        shapes = [tuple(map(int, shape.split(","))) for shape in found]
        assert "<=" not in program, "a shape is dynamic"
    else:
        graph = step.get_concrete_function(*batch).graph
        graphs = [graph, *(each.graph for each in graph._functions.values())]
        shapes = [
            tuple(output.shape)
            for each in graphs
            for operation in each.get_operations()
            for output in operation.outputs
            if output.shape.is_fully_defined()
        ]
    assert (size, size) in shapes
    # XLA pads the columns of a running sum to 32.
    assert max(map(np.prod, shapes)) <= 32 * size


def test_largest_class_sets_the_number_of_steps():
    """Anchors with one positive and with seven, in one batch."""
    labels = np.array([0] * 8 + [1] * 2 + [2] * 6)
    result = batch_all_triplet(tf.constant(ROWS), tf.constant(labels), margin="soft")
    distances = np.linalg.norm(ROWS[:, None] - ROWS[None, :], axis=2)
    for anchor in range(16):
        same = labels == labels[anchor]
        negatives, same[anchor] = distances[anchor, ~same], False
        positives = distances[anchor, same]
        losses = np.logaddexp(0, positives[:, None] - negatives[None, :])
        assert float(result.weight[anchor]) == losses.size
        assert float(result.loss[anchor]) == pytest.approx(losses.mean(), rel=1e-5)
