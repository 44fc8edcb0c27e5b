"""Who is compared with whom: positives and negatives of each row of a batch."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class Memory(NamedTuple):
    """Embeddings of earlier batches, to which the rows of a batch are compared as well.

    `embeddings` float32 [M, D], `labels` and `sources` integer [M], `filled` bool [M]: slots that
    hold nothing yet are False and compared with nobody. No gradient reaches it.
    """

    embeddings: tf.Tensor
    labels: tf.Tensor
    sources: tf.Tensor
    filled: tf.Tensor


class Pairs(NamedTuple):
    """Every row of a batch with everything it is compared with.

    `rows` float32 [B, D]; `others` float32 [R, D], the batch itself and then the memory, if there
    is one; `positive` and `negative` bool [B, R], neither of which holds for a row and itself.
    """

    rows: tf.Tensor
    others: tf.Tensor
    positive: tf.Tensor
    negative: tf.Tensor


def compare(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> Pairs:
    """Positives and negatives of each row of a batch.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        sources: integer [B]; two rows of one label and one source (the same picture twice) are
            neither positive nor negative to each other.
        memory: rows of earlier batches; with it, `sources` are compared only if given.

    Returns:
        Pairs, whose `rows` are the first `others`.

    Raises:
        ValueError: labels or sources that are not integers, or shapes that do not fit.
    """
    check_batch(embeddings, labels, sources)
    rows = tf.cast(embeddings, tf.float32)
    size = tf.shape(rows)[0]
    others = rows
    if memory is not None:
        others = tf.concat([rows, tf.stop_gradient(memory.embeddings)], axis=0)
    same_label = _equal(labels, memory and memory.labels)
    positive = same_label & (tf.range(size)[:, None] != tf.range(tf.shape(others)[0])[None, :])
    negative = ~same_label
    if sources is not None:
        positive &= ~_equal(sources, memory and memory.sources)
    if memory is not None:
        exists = tf.concat([tf.ones([size], tf.bool), memory.filled], axis=0)
        positive, negative = positive & exists, negative & exists
    return Pairs(rows, others, positive, negative)


def _equal(values: tf.Tensor, remembered: tf.Tensor | None) -> tf.Tensor:
    """bool [B, R]: which of the batch and the memory have the value of each row."""
    others = values
    if remembered is not None:
        others = tf.concat([values, tf.cast(remembered, values.dtype)], axis=0)
    return values[:, None] == others[None, :]


def check_batch(embeddings: tf.Tensor, labels: tf.Tensor, sources: tf.Tensor | None = None) -> None:
    """Raise ValueError for labels or sources that are no integers or shapes that do not fit."""
    embeddings.shape.assert_has_rank(2)
    for name, values in {"labels": labels, "sources": sources}.items():
        if values is None:
            continue
        if not values.dtype.is_integer:
            raise ValueError(
                f"{name} must be integers, not {values.dtype.name}: above 2^24 floats collide"
            )
        if not values.shape.is_compatible_with(embeddings.shape[:1]):
            raise ValueError(f"{name} have shape {values.shape}, embeddings {embeddings.shape}")
