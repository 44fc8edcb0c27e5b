"""Cross-batch memory: embeddings of the last batches as further candidates.

Wang, Zhang, Huang, Scott: Cross-Batch Memory for Embedding Learning, 2020, section 3.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.pairs import Memory, check_batch

# The source of a row that came without: that of no picture.
UNKNOWN = -1


def empty_memory(size: int, embedding_size: int) -> Memory:
    """A memory of `size` unfilled slots for embeddings of that size.

    Raises:
        ValueError: a size below 1.
    """
    if size < 1 or embedding_size < 1:
        raise ValueError(f"a memory needs slots of some size, not {size} of {embedding_size}")
    return Memory(
        embeddings=tf.zeros([size, embedding_size]),
        labels=tf.zeros([size], tf.int64),
        sources=tf.fill([size], tf.constant(UNKNOWN, tf.int64)),
        filled=tf.zeros([size], tf.bool),
    )


def remembered(
    memory: Memory, embeddings: tf.Tensor, labels: tf.Tensor, sources: tf.Tensor | None = None
) -> Memory:
    """The memory after a batch: its rows come first, and the oldest fall off the end.

    The newest batch stands first, so that the state has no position to keep; of a batch larger
    than the memory the first rows stay. To be called after the loss, which compares the batch
    with the batches before it.

    Args:
        memory: M slots.
        embeddings: [B, D], any floating type; kept in float32, without gradient.
        labels: integer [B].
        sources: integer [B] from 0 on; None: of unknown source, which is no other row's.

    Returns:
        Memory of the same shapes and types.

    Raises:
        ValueError: labels or sources that are not integers, or shapes that do not fit.
    """
    check_batch(embeddings, labels, sources)
    if sources is None:
        sources = tf.fill(tf.shape(labels), UNKNOWN)
    newest = Memory(
        embeddings=tf.stop_gradient(tf.cast(embeddings, tf.float32)),
        labels=tf.cast(labels, tf.int64),
        sources=tf.cast(sources, tf.int64),
        filled=tf.ones_like(labels, tf.bool),
    )
    size = memory.labels.shape[0]
    return Memory(
        *(tf.concat([new, old], axis=0)[:size] for new, old in zip(newest, memory, strict=True))
    )
