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


class Everyone(NamedTuple):
    """The R rows that rows of a batch are compared with: the batch and then the memory.

    `embeddings` float32 [R, D]; `labels` integer [R]; `sources` integer [R], None: not compared;
    `exists` bool [R], None: all of them do.
    """

    embeddings: tf.Tensor
    labels: tf.Tensor
    sources: tf.Tensor | None
    exists: tf.Tensor | None


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
    everyone = gather_everyone(embeddings, labels, sources, memory)
    rows = tf.cast(embeddings, tf.float32)
    return Pairs(rows, everyone.embeddings, *masks(everyone, tf.range(tf.shape(rows)[0])))


def gather_everyone(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> Everyone:
    """The batch and the memory as one; arguments and errors as of `compare`."""
    check_batch(embeddings, labels, sources)
    rows = tf.cast(embeddings, tf.float32)
    if memory is None:
        return Everyone(rows, labels, sources, None)
    return Everyone(
        tf.concat([rows, tf.stop_gradient(memory.embeddings)], axis=0),
        _join(labels, memory.labels),
        None if sources is None else _join(sources, memory.sources),
        tf.concat([tf.ones_like(labels, tf.bool), memory.filled], axis=0),
    )


def masks(everyone: Everyone, anchors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Which of everyone are positives and which negatives of some of them.

    Args:
        everyone: R rows.
        anchors: int32 [A], positions in `everyone`.

    Returns:
        bool [A, R] each.
    """
    same_label = _equal(everyone.labels, anchors)
    positive = same_label & (anchors[:, None] != tf.range(tf.shape(everyone.labels)[0])[None, :])
    negative = ~same_label
    if everyone.sources is not None:
        positive &= ~_equal(everyone.sources, anchors)
    if everyone.exists is not None:
        positive, negative = positive & everyone.exists, negative & everyone.exists
    return positive, negative


def _equal(values: tf.Tensor, anchors: tf.Tensor) -> tf.Tensor:
    """bool [A, R]: which of the values [R] are those of the anchors."""
    return tf.gather(values, anchors)[:, None] == values[None, :]


def _join(values: tf.Tensor, remembered: tf.Tensor) -> tf.Tensor:
    return tf.concat([values, tf.cast(remembered, values.dtype)], axis=0)


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
