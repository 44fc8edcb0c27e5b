"""Batches larger than the memory, with mining over the whole batch: GradCache.

Gao, Zhang, Han and Callan 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited
Setup. The batch is embedded chunk by chunk without keeping what a gradient needs; the loss and its
slopes at all embeddings are computed as ever; then each chunk is embedded once more, now keeping
what its gradient needs, and its slopes are carried back. The gradients of the chunks add up to that
of the batch. Memory is that of one chunk, time that of one more forward pass.

The second pass starts from the state that the first one started from. So dropout is drawn as
before, and the moving statistics of batch norms move once for each chunk, not twice. A batch norm
in training mode normalises by its chunk, in both passes alike: the gradient is exact for what was
computed, but what was computed is not the large batch's. The two are equal where batch norms are
frozen or absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.training.snapshot import Snapshot


def embed_in_chunks(
    network: keras.Model, images: tf.Tensor, chunk: int, weights: Sequence[Any]
) -> tuple[tf.Tensor, tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
    """Embeddings of a batch, their lengths before, and the way back, chunk by chunk.

    Args:
        network: images to unit vectors float32 [B, D] and lengths float32 [B].
        images: [B, H, W, C].
        chunk: how many at a time; divides B.
        weights: of the network, those that are trained.

    Returns:
        Embeddings and lengths, and a function from slopes float32 [B, D] to the gradients of the
        weights, in their order.
    """
    chunks = tf.reshape(images, [-1, chunk, *images.shape[1:]])
    state = Snapshot(network.non_trainable_variables)
    # One chunk at a time: side by side they would need the memory of all.
    embeddings, norms = tf.map_fn(
        lambda one: tuple(network(one, training=True)),
        chunks,
        fn_output_signature=(tf.float32, tf.float32),
        parallel_iterations=1,
    )

    def backward(slopes: tf.Tensor) -> list[tf.Tensor]:
        if not weights:
            return []
        state.restore()

        def add(total: list[tf.Tensor], part: tuple[tf.Tensor, tf.Tensor]) -> list[tf.Tensor]:
            one, slopes_of_one = part
            with tf.GradientTape() as tape:
                again, _ = network(one, training=True)
            found = tape.gradient(again, weights, output_gradients=slopes_of_one)
            return [sum_ + gradient for sum_, gradient in zip(total, found, strict=True)]

        nothing = [tf.zeros(weight.shape, weight.dtype) for weight in weights]
        parts = (chunks, tf.reshape(slopes, [-1, chunk, slopes.shape[-1]]))
        return list(tf.foldl(add, parts, initializer=nothing, parallel_iterations=1))

    return tf.reshape(embeddings, [-1, embeddings.shape[-1]]), tf.reshape(norms, [-1]), backward


def chunk_of(batch: int, most: int) -> int | None:
    """The largest chunk that divides the batch, `most` at most; None where that is the batch.

    Args:
        batch: its size; of several replicas, that of a replica's part.
        most: of the option; 0 for no chunks.

    Raises:
        InputError: it is less than half of `most`.
    """
    if most == 0 or most >= batch:
        return None
    chunk = next(size for size in range(most, 0, -1) if batch % size == 0)
    if 2 * chunk < most:
        larger = next(size for size in range(most, batch + 1) if batch % size == 0)
        raise InputError(
            f"--chunk {most}: a batch of {batch} divides into chunks of {chunk} or {larger}; give "
            "one of these, or another number of people or pictures"
        )
    return chunk


def check_chunks(network: keras.Model) -> None:
    """Refuse a network that cannot be embedded in chunks, or not twice alike.

    Raises:
        InputError: Keras 2 keeps the state of dropout's random numbers where it cannot be reached;
            or batch norms that train would ask the other replicas in the middle of a chunk, which
            TensorFlow's loops forbid.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    for layer in network.layers:
        if replicas > 1 and layer.trainable and isinstance(layer, keras.layers.BatchNormalization):
            raise InputError(
                f"--chunk: with --distribute not for batch norms that train, such as {layer.name!r}"
                ": freeze them (--freeze), or take a network without (dlib's)"
            )
        drops = isinstance(layer, keras.layers.Dropout) and layer.rate > 0
        if drops and not hasattr(layer, "seed_generator"):
            raise InputError(
                f"--chunk: Keras {keras.__version__} cannot draw the dropout of layer "
                f"{layer.name!r} a second time; give --dropout 0, or take Keras 3"
            )
