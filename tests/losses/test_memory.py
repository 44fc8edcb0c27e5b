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
# Draws are others in a batch of another size.
EVERY_DETERMINISTIC_LOSS = pytest.mark.parametrize(
    "loss",
    [loss for loss in TUPLE_LOSSES if "seed" not in loss.tensors],
    ids=lambda loss: loss.title,
)


def rows_from(first, last):
    return [tf.constant(each[first:last]) for each in (ROWS, LABELS, SOURCES)]


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


def value_and_gradient(loss, count, memory, anchors=None):
    """Mean over the first anchors of the first rows, its gradient by rows and by the memory."""
    rows, labels, sources = rows_from(0, count)
    watched = [rows] if memory is None else [rows, memory.embeddings]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        result = loss.function(
            rows, labels, sources=sources, memory=memory, **tensors_and_options(loss)
        )
        counted = (result.loss * result.weight)[:anchors]
        value = tf.reduce_sum(counted) / tf.reduce_sum(result.weight[:anchors])
    return float(value), tape.gradient(value, watched)


def tensors_and_options(loss):
    tensors = {name: tf.constant(value) for name, value in given(loss).items()}
    return tensors | TWINS[loss.title].variants[0]


class TestRing:
    def test_newest_first_and_the_oldest_fall_off(self):
        memory = empty_memory(5, SIZE)
        assert not memory.filled.numpy().any()
        for first, filled in ((0, 2), (2, 4), (4, 5)):
            memory = remembered(memory, *rows_from(first, first + 2))
            assert memory.filled.numpy().tolist() == [slot < filled for slot in range(5)]
        order = [4, 5, 2, 3, 0]
        np.testing.assert_array_equal(memory.embeddings, ROWS[order])
        np.testing.assert_array_equal(memory.labels, LABELS[order])
        np.testing.assert_array_equal(memory.sources, SOURCES[order])

    def test_of_a_batch_larger_than_the_memory_the_first_rows_stay(self):
        memory = remembered(empty_memory(3, SIZE), *rows_from(0, 5)[:2])
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
    @EVERY_DETERMINISTIC_LOSS
    def test_equals_the_joint_batch_on_the_anchors_of_the_batch(self, loss):
        """The memory as further rows of the batch, of whose anchors only the first count; slots
        that are not filled, whatever they hold, are compared with nobody."""
        found, gradients = value_and_gradient(loss, BATCH, memory_of(BATCH, 14, unfilled=3))
        expected, (joint,) = value_and_gradient(loss, 14, None, anchors=BATCH)
        alone, _ = value_and_gradient(loss, BATCH, None)
        assert abs(found - alone) > 1e-3, "the memory made no difference"
        assert found == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(gradients[0], joint[:BATCH], rtol=1e-3, atol=1e-5)
        assert gradients[1] is None, "a gradient reaches the memory"

    @EVERY_LOSS
    def test_an_earlier_copy_of_a_row_is_no_positive(self, loss):
        """Three people whose only other picture is the same picture, remembered."""
        rows, labels, sources = rows_from(0, 3)[0], tf.constant([5, 6, 7]), tf.constant([1, 2, 3])
        memory = remembered(empty_memory(4, SIZE), rows, labels, sources)
        options = tensors_and_options(loss)
        copied, different = (
            loss.function(rows, labels, memory=memory, sources=each, **options).weight.numpy()
            for each in (sources, sources + 10)
        )
        assert np.all(different > copied)
        if loss.name != "contrastive":  # where negatives count by themselves
            assert not copied.any()


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
        value, gradient, memory = step(memory, *rows_from(first, first + 4))
    order = np.concatenate([np.arange(8, 12), np.arange(4, 8), np.arange(4)])
    rows, labels, sources = (tf.constant(each[order]) for each in (ROWS, LABELS, SOURCES))
    joint = loss.function(rows, labels, sources=sources)
    expected = (joint.loss * joint.weight)[:4].numpy().sum() / joint.weight[:4].numpy().sum()
    assert float(value) == pytest.approx(expected, rel=1e-5)
    assert np.all(np.isfinite(gradient))
    np.testing.assert_array_equal(memory.embeddings, ROWS[order[:8]])
