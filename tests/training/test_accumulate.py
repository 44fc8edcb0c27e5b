"""GradCache: the large batch's step where norms are frozen or absent, else that of its chunks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.training.accumulate import check_chunks, chunk_of, embed_in_chunks
from facenet_tf.training.trainer import _with_norms
from tests.training.small import (
    COSFACE,
    EACH,
    FEATURES,
    HARD,
    KERAS_3,
    PEOPLE,
    small_batch,
    small_body,
    small_trainer,
    take_steps,
    values,
)

BATCH, CHUNK = PEOPLE * EACH, 4
needs_seeds = pytest.mark.skipif(not KERAS_3, reason="Keras 2 cannot replay dropout")


def after_two_steps(body, jit="off", stage=HARD, chunk=None):
    """Figures and weights."""
    trainer = small_trainer(body, keras.optimizers.SGD(0.1, momentum=0.9), stage, jit, chunk=chunk)
    return take_steps(trainer, 2), values(trainer.weights_to_train)


def frozen_norm() -> keras.Model:
    body = small_body(norm=True)
    norm = body.get_layer("norm")
    random = np.random.default_rng(1)
    norm.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in norm.get_weights()])
    norm.trainable = False
    return body


@pytest.mark.parametrize("jit", ["off", "loss", "on"])
@pytest.mark.parametrize("stage", [HARD, COSFACE], ids=["batch_hard", "cosface"])
@pytest.mark.parametrize("body", [small_body, frozen_norm])
def test_chunks_are_the_large_batch(body, stage, jit):
    figures, weights = after_two_steps(body(), stage=stage)
    chunked_figures, chunked = after_two_steps(body(), jit, stage, CHUNK)
    assert chunked_figures == pytest.approx(figures, rel=1e-3)
    start = values(small_trainer(body(), keras.optimizers.SGD(0.1), stage).weights_to_train)
    for found, wanted, before in zip(chunked, weights, start, strict=True):
        assert np.abs(wanted - before).max() > 1e-4
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)


def test_the_loss_looks_at_the_whole_batch():
    """A chunk has too few people for a loss of its own to be the batch's."""
    whole, _ = after_two_steps(small_body())
    parts = [
        take_steps(
            small_trainer(small_body(), keras.optimizers.SGD(0.0)),
            batch={name: value[first : first + CHUNK] for name, value in small_batch(0).items()},
        )["hardest_negative"]
        for first in range(0, BATCH, CHUNK)
    ]
    chunked = take_steps(small_trainer(small_body(), keras.optimizers.SGD(0.0), chunk=CHUNK))
    at_once = take_steps(small_trainer(small_body(), keras.optimizers.SGD(0.0)))
    assert chunked["hardest_negative"] == pytest.approx(at_once["hardest_negative"], rel=1e-5)
    assert min(parts) > chunked["hardest_negative"]
    assert whole["hardest_negative"] > 0


def one_tape_over_chunks(network, images, slopes):
    """Embeddings and gradients of a plain loop, each chunk embedded once."""
    with tf.GradientTape() as tape:
        parts = [
            network(images[first : first + CHUNK], training=True)[0]
            for first in range(0, BATCH, CHUNK)
        ]
        embeddings = tf.concat(parts, axis=0)
    gradients = tape.gradient(embeddings, network.trainable_variables, output_gradients=slopes)
    return embeddings.numpy(), [gradient.numpy() for gradient in gradients]


@pytest.mark.parametrize("jit", [None, False, True], ids=["eager", "graph", "xla"])
@pytest.mark.parametrize(
    "options",
    [
        {"norm": True},
        pytest.param({"dropout": 0.5}, marks=needs_seeds),
        pytest.param({"norm": True, "dropout": 0.5}, marks=needs_seeds),
    ],
    ids=["norm", "dropout", "both"],
)
def test_each_chunk_counts_once_and_is_replayed_exactly(options, jit):
    """Against one tape over all chunks: same dropout, same gradients, same moving statistics."""
    images = small_batch()["image"]
    slopes = tf.random.stateless_normal([BATCH, FEATURES], [1, 2])
    network, twin = (_with_norms(small_body(**options)) for _ in range(2))

    def step():
        embeddings, norms, backward = embed_in_chunks(network, images, CHUNK)
        return embeddings, norms, backward(slopes)

    embeddings, norms, gradients = (step if jit is None else tf.function(step, jit_compile=jit))()
    expected, wanted = one_tape_over_chunks(twin, images, slopes)
    np.testing.assert_allclose(embeddings, expected, rtol=1e-4, atol=1e-6)
    assert norms.shape == (BATCH,)
    for found, gradient in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-3, atol=1e-5)
    for found, moved in zip(network.non_trainable_variables, twin.non_trainable_variables):
        np.testing.assert_allclose(np.array(found), np.array(moved), rtol=1e-5)


@needs_seeds
def test_dropout_goes_on_from_step_to_step():
    body = small_body(dropout=0.5)
    trainer = small_trainer(body, keras.optimizers.SGD(0.0), chunk=CHUNK)
    batch = small_batch()
    losses = [take_steps(trainer, batch=batch)["loss"] for _ in range(3)]
    assert len(set(losses)) == 3


def test_a_body_that_is_frozen_whole_has_no_gradients():
    network = _with_norms(small_body())
    network.trainable = False
    embeddings, _, backward = embed_in_chunks(network, small_batch()["image"], CHUNK)
    assert embeddings.shape == (BATCH, FEATURES)
    assert backward(tf.ones([BATCH, FEATURES])) == []


@pytest.mark.parametrize(
    ("batch", "most", "chunk"),
    [
        (1800, 64, 60),
        (100, 64, 50),
        (12, 4, 4),
        (7, 1, 1),
        (12, 12, None),
        (12, 99, None),
        (12, 0, None),
    ],
)
def test_chunks_are_of_one_size(batch, most, chunk):
    assert chunk_of(batch, most) == chunk


def test_a_batch_that_does_not_divide_is_refused_with_what_does():
    with pytest.raises(InputError, match=r"--chunk 64: a batch of 194 .* chunks of 2 or 97"):
        chunk_of(194, 64)


@pytest.mark.skipif(KERAS_3, reason="Keras 3 replays it")
def test_dropout_that_cannot_be_replayed_is_refused():
    check_chunks(small_body())
    with pytest.raises(InputError, match=r"--chunk: Keras 2\..* layer 'dropout'"):
        check_chunks(small_body(dropout=0.5))


@needs_seeds
def test_dropout_that_can_be_replayed_is_accepted():
    check_chunks(small_body(dropout=0.5))
