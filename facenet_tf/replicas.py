"""What the copies of a model that train together tell each other; alone, a model talks to no one.

All of it runs in a replica's context, inside `tf.distribute.Strategy.run`; collectives cannot be
compiled by XLA.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def replica_count() -> int:
    """How many replicas run this step together; 1 outside of a distribution."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else int(context.num_replicas_in_sync)


def gathered(tensors: list[tf.Tensor]) -> list[tf.Tensor]:
    """The tensors of all replicas, joined along their first axis in the order of the replicas.

    Args:
        tensors: [B, ...] each, of the same shape on every replica, B known.

    Returns:
        [replicas · B, ...] each, without a gradient.
    """
    count = replica_count()
    own = [tf.stop_gradient(tensor) for tensor in tensors]
    if count == 1:
        return own
    whole = tf.distribute.get_replica_context().all_gather(own, axis=0)
    return [
        tf.ensure_shape(joined, [count * part.shape[0], *part.shape[1:]])
        for joined, part in zip(whole, own, strict=True)
    ]


def own_part(whole: tf.Tensor) -> tf.Tensor:
    """Of [replicas · B, ...] in the order of the replicas the [B, ...] of this one."""
    count = replica_count()
    if count == 1:
        return whole
    own = whole.shape[0] // count
    first = tf.distribute.get_replica_context().replica_id_in_sync_group * own
    return whole[first : first + own]


def summed(tensors: list[Any]) -> list[Any]:
    """Each tensor summed over the replicas."""
    if replica_count() == 1 or not tensors:
        return tensors
    context = tf.distribute.get_replica_context()
    return list(context.all_reduce(tf.distribute.ReduceOp.SUM, tensors))


def of_first(tensor: tf.Tensor) -> tf.Tensor:
    """What the first replica has, on all of them; of the same shape on each."""
    if replica_count() == 1:
        return tensor
    is_first = tf.equal(tf.distribute.get_replica_context().replica_id_in_sync_group, 0)
    return summed([tf.where(is_first, tensor, tf.zeros_like(tensor))])[0]


def kept_by_each(value: Any, name: str) -> tf.Variable:
    """A variable that no optimiser moves and that comes out equal on all replicas.

    Each moves its own, without a word to the others, and the first one's is read and saved.
    """
    return tf.Variable(
        value,
        trainable=False,
        name=name,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )
