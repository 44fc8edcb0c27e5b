import functools

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import Memory, empty_memory, losses, mean_loss, remembered

from .contract import given
from .twin import unit
from .twins import TWINS

SIZE = 4
ROWS = np.float32(unit(np.random.default_rng(21).normal(size=(14, SIZE))))
LABELS = np.array([0, 1, 0, 2, 1, 0, 2, 2, 1, 0, 3, 1, 0, 2])
SOURCES = np.array([0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 10, 11, 0, 3])
BATCH = 6
TUPLE_LOSSES = [loss for loss in losses() if "memory" in loss.tensors]
EVERY_LOSS = pytest.mark.parametrize("loss", TUPLE_LOSSES, ids=lambda loss: loss.title)


def memory_of(first, last, unfilled=0):
    """The given rows as a memory, and slots that hold something else but are not filled."""
    rubbish = np.full([unfilled, SIZE], 3.0, np.float32)
    zeros = np.zeros(unfilled, np.int64)
    return Memory(
        embeddings=tf.constant(np.concatenate([ROWS[first:last], rubbish])),
        labels=tf.constant(np.concatenate([LABELS[first:last], zeros])),
        sources=tf.constant(np.concatenate([SOURCES[first:last], zeros + 99])),
        filled=tf.constant([True] * (last - first) + [False] * unfilled),
    )


def value_and_gradient(loss, rows, memory, jit=False, of_batch=None):
    """Mean over the anchors of the batch, and its gradient by rows and by memory."""
    tensors = {name: tf.constant(value) for name, value in given(loss).items()}

    @tf.function(jit_compile=jit)
    def compute(rows, labels, sources, memory):
        with tf.GradientTape() as tape:
            tape.watch([rows] if memory is None else [rows, memory.embeddings])
            result = loss.function(
                rows,
                labels,
                sources=sources,
                memory=memory,
                **(tensors | TWINS[loss.title].variants[0]),
            )
            value = tf.math.divide_no_nan(
                tf.reduce_sum((result.loss * result.weight)[:of_batch]),
                tf.reduce_sum(result.weight[:of_batch]),
            )
        watched = [rows] if memory is None else [rows, memory.embeddings]
        return value, tape.gradient(value, watched)

    count = len(rows)
    value, gradients = compute(
        tf.constant(rows), tf.constant(LABELS[:count]), tf.constant(SOURCES[:count]), memory
    )
    return float(value), gradients


class TestRing:
    def test_newest_first_and_the_oldest_fall_off(self):
        memory = empty_memory(5, SIZE)
        assert not memory.filled.numpy().any()
        memory = remembered(memory, ROWS[:2], tf.constant(LABELS[:2]), tf.constant(SOURCES[:2]))
        assert memory.filled.numpy().tolist() == [True, True, False, False, False]
        memory = remembered(memory, ROWS[2:4], tf.constant(LABELS[2:4]), tf.constant(SOURCES[2:4]))
        memory = remembered(memory, ROWS[4:6], tf.constant(LABELS[4:6]), tf.constant(SOURCES[4:6]))
        order = [4, 5, 2, 3, 0]
        np.testing.assert_array_equal(memory.embeddings, ROWS[order])
        np.testing.assert_array_equal(memory.labels, LABELS[order])
        np.testing.assert_array_equal(memory.sources, SOURCES[order])
        assert memory.filled.numpy().all()

    def test_of_a_batch_larger_than_the_memory_the_first_rows_stay(self):
        memory = remembered(empty_memory(3, SIZE), ROWS[:5], tf.constant(LABELS[:5]))
        np.testing.assert_array_equal(memory.embeddings, ROWS[:3])
        np.testing.assert_array_equal(memory.sources, [-1, -1, -1])

    @pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
    def test_types_stay(self, dtype):
        labels = tf.constant([2**30 + 1, 2**30], dtype)
        rows = tf.cast(ROWS[:2], tf.bfloat16)
        memory = remembered(empty_memory(3, SIZE), rows, labels, labels)
        for new, old in zip(memory, empty_memory(3, SIZE), strict=True):
            assert (new.dtype, new.shape) == (old.dtype, old.shape)
        assert memory.labels.numpy().tolist()[:2] == [2**30 + 1, 2**30]

    def test_no_gradient_is_kept(self):
        rows = tf.constant(ROWS[:2])
        with tf.GradientTape() as tape:
            tape.watch(rows)
            memory = remembered(empty_memory(3, SIZE), rows, tf.constant(LABELS[:2]))
        assert tape.gradient(memory.embeddings, rows) is None

    @pytest.mark.parametrize("size", [(0, 4), (4, 0)])
    def test_no_slots_are_refused(self, size):
        with pytest.raises(ValueError, match="a memory needs slots"):
            empty_memory(*size)

    def test_float_labels_are_refused(self):
        with pytest.raises(ValueError, match="labels must be integers"):
            remembered(empty_memory(3, SIZE), tf.constant(ROWS[:2]), tf.zeros(2))


class TestInTheLosses:
    @EVERY_LOSS
    def test_equals_the_joint_batch_on_the_anchors_of_the_batch(self, loss):
        """The memory as further rows of the batch, of whose anchors only the first count."""
        found, gradients = value_and_gradient(loss, ROWS[:BATCH], memory_of(BATCH, 14, unfilled=3))
        expected, (joint,) = value_and_gradient(loss, ROWS, None, of_batch=BATCH)
        alone, _ = value_and_gradient(loss, ROWS[:BATCH], None)
        assert abs(found - alone) > 1e-3, "the memory made no difference"
        assert found == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(gradients[0], joint[:BATCH], rtol=1e-3, atol=1e-5)
        assert gradients[1] is None, "a gradient reaches the memory"

    @EVERY_LOSS
    def test_unfilled_slots_are_compared_with_nobody(self, loss):
        found, gradients = value_and_gradient(loss, ROWS[:BATCH], memory_of(0, 0, unfilled=4))
        alone, (expected,) = value_and_gradient(loss, ROWS[:BATCH], None)
        assert found == pytest.approx(alone, rel=1e-6)
        np.testing.assert_allclose(gradients[0], expected, rtol=1e-4, atol=1e-6)

    @EVERY_LOSS
    def test_an_earlier_copy_of_a_row_is_no_positive(self, loss):
        """All that is remembered are the rows themselves, so that no anchor has more positives."""
        labels, sources = tf.constant([5, 6, 7]), tf.constant([1, 2, 3])
        rows = tf.constant(ROWS[:3])
        memory = remembered(empty_memory(4, SIZE), rows, labels, sources)
        tensors = {name: tf.constant(value) for name, value in given(loss).items()}
        tensors |= TWINS[loss.title].variants[0]
        compute = functools.partial(loss.function, rows, labels, memory=memory, **tensors)
        contrastive = loss.name == "contrastive"  # counts negatives by themselves
        weight = compute(sources=sources).weight.numpy()
        assert contrastive or not weight.any()
        assert np.all(compute(sources=sources + 10).weight.numpy() > weight)


def test_two_steps_in_one_compiled_program(jit):
    """The state goes in and comes out; what the second step compares with is the first batch."""
    loss = next(each for each in TUPLE_LOSSES if each.title == "supervised_contrastive")

    @tf.function(jit_compile=jit)
    def step(memory, rows, labels, sources):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            value = mean_loss(loss.function(rows, labels, sources=sources, memory=memory))
        return value, tape.gradient(value, rows), remembered(memory, rows, labels, sources)

    memory = empty_memory(8, SIZE)
    for first in (0, 4, 8):
        rows, labels, sources = (
            tf.constant(each[first : first + 4]) for each in (ROWS, LABELS, SOURCES)
        )
        value, gradient, memory = step(memory, rows, labels, sources)
    order = np.concatenate([np.arange(8, 12), np.arange(4, 8), np.arange(4)])
    joint = loss.function(
        tf.constant(ROWS[order]), tf.constant(LABELS[order]), sources=tf.constant(SOURCES[order])
    )
    expected = (joint.loss * joint.weight)[:4].numpy().sum() / joint.weight[:4].numpy().sum()
    assert float(value) == pytest.approx(expected, rel=1e-5)
    assert np.all(np.isfinite(gradient))
    np.testing.assert_array_equal(memory.embeddings, ROWS[order[:8]])
