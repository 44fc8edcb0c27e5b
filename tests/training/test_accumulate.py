"""GradCache: the large batch's step where norms are frozen or absent, else that of its chunks."""

import contextlib
import types

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
    steps,
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


@pytest.mark.parametrize(
    ("body", "stage", "jit"),
    [
        (small_body, HARD, "off"),
        (frozen_norm, COSFACE, "on"),
    ],
    ids=["plain", "frozen norm, prototypes"],
)
def test_chunks_are_the_large_batch(body, stage, jit):
    figures, weights = after_two_steps(body(), stage=stage)
    chunked_figures, chunked = after_two_steps(body(), jit, stage, CHUNK)
    assert chunked_figures == pytest.approx(figures, rel=1e-3)
    start = values(small_trainer(body(), keras.optimizers.SGD(0.1), stage).weights_to_train)
    for found, wanted, before in zip(chunked, weights, start, strict=True):
        assert np.abs(wanted - before).max() > 1e-4
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)


def one_tape_over_chunks(network, images, slopes):
    """Embeddings and gradients of a plain loop, each chunk embedded once."""
    with tf.GradientTape() as tape:
        parts = [
            network(images[first : first + CHUNK], training=True)[0]
            for first in range(0, BATCH, CHUNK)
        ]
        embeddings = tf.concat(parts, axis=0)
    gradients = tape.gradient(embeddings, network.trainable_variables, output_gradients=slopes)
    return embeddings, gradients


@pytest.mark.parametrize("jit", [None, False, True], ids=["eager", "graph", "xla"])
def test_each_chunk_counts_once_and_is_replayed_exactly(jit):
    """Against one tape over all chunks: same dropout, same gradients, same moving statistics."""
    options = {"norm": True, "dropout": 0.5 if KERAS_3 else 0.0}
    images = small_batch()["image"]
    slopes = tf.random.stateless_normal([BATCH, FEATURES], [1, 2])
    network, twin = (_with_norms(small_body(**options)) for _ in range(2))

    def step():
        weights = network.trainable_variables
        embeddings, norms, backward = embed_in_chunks(network, images, CHUNK, weights)
        return embeddings, norms, backward(slopes)

    def twin_step():
        return one_tape_over_chunks(twin, images, slopes)

    if jit is not None:  # XLA draws other random numbers
        step = tf.function(step, jit_compile=jit)
        twin_step = tf.function(twin_step, jit_compile=jit)
    embeddings, norms, gradients = step()
    expected, wanted = twin_step()
    np.testing.assert_allclose(embeddings, expected, rtol=1e-4, atol=1e-6)
    assert norms.shape == (BATCH,)
    for found, gradient in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-3, atol=1e-5)
    kept, moving = values(network.non_trainable_variables), values(twin.non_trainable_variables)
    for found, moved in zip(kept, moving, strict=True):
        np.testing.assert_allclose(found, moved, rtol=1e-5)


@needs_seeds
def test_dropout_goes_on_from_step_to_step():
    body = small_body(dropout=0.5)
    trainer = small_trainer(body, keras.optimizers.SGD(0.0), chunk=CHUNK)
    batch = small_batch()
    losses = [figures["loss"] for figures in steps(trainer, [batch] * 3)]
    assert len(set(losses)) == 3


def test_a_body_that_is_frozen_whole_has_no_gradients():
    network = _with_norms(small_body(dropout=0.5))
    network.trainable = False
    embeddings, _, backward = embed_in_chunks(network, small_batch()["image"], CHUNK, [])
    assert embeddings.shape == (BATCH, FEATURES)
    assert backward(tf.ones([BATCH, FEATURES])) == []
    again, _, _ = embed_in_chunks(network, small_batch()["image"], CHUNK, [])
    assert np.abs(again - embeddings).max() > 1e-3  # dropout has gone on


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


@pytest.mark.parametrize("trained", [True, False])
def test_batch_norms_that_would_ask_other_replicas_are_refused(monkeypatch, trained):
    body = small_body(norm=True)
    body.get_layer("norm").trainable = trained
    check_chunks(body)
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: two)
    told = pytest.raises(InputError, match=r"--chunk: with --distribute .* 'norm'.*--freeze")
    with told if trained else contextlib.nullcontext():
        check_chunks(body)


@needs_seeds
def test_dropout_that_can_be_replayed_is_accepted():
    check_chunks(small_body(dropout=0.5))
