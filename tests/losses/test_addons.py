"""Ours against TensorFlow Addons 0.23: values and gradients on random batches."""

import importlib.util

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import (
    EmbeddingLoss,
    batch_hard_triplet,
    mean_loss,
    semi_hard_triplet,
    tfa_hard,
    tfa_semihard,
)

DISTANCES = pytest.mark.parametrize("distance", ["plain", "squared", "cosine"])
BATCHES = pytest.mark.parametrize("people", [4, 20], ids=["few people", "many people"])


def batch(people):
    """48 rows of length 1 of so many people; one of them has a single picture."""
    random = np.random.default_rng(people)
    labels = np.append(random.integers(0, people - 1, 47), people - 1)
    rows = random.normal(size=(48, 16))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels


def value_and_gradient(loss, rows, labels, jit, **options):
    @tf.function(jit_compile=jit)
    def compute(rows, labels):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            value = mean_loss(loss(rows, labels, **options))
        return value, tape.gradient(value, rows)

    return compute(tf.constant(rows, tf.float32), tf.constant(labels))


def assert_equal(ours, theirs):
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-3, atol=1e-6)
    assert np.abs(theirs[1]).max() > 1e-3


@pytest.mark.addons
@DISTANCES
@BATCHES
def test_semi_hard(people, distance, jit):
    rows, labels = batch(people)
    options = {"margin": 0.2, "distance": distance}
    ours = value_and_gradient(semi_hard_triplet, rows, labels, jit, **options)
    assert_equal(ours, value_and_gradient(tfa_semihard, rows, labels, jit, **options))


@pytest.mark.addons
@DISTANCES
@BATCHES
@pytest.mark.parametrize("margin", [0.2, "soft"])
def test_hard(people, distance, margin, jit):
    rows, labels = batch(people)
    options = {"margin": margin, "distance": distance}
    ours = value_and_gradient(batch_hard_triplet, rows, labels, jit, anchors="all", **options)
    assert_equal(ours, value_and_gradient(tfa_hard, rows, labels, jit, **options))


# Of docs/losses.md: what takes the place of a loss class of theirs, as it is by default.
SUCCESSORS = {
    "TripletSemiHardLoss": ({}, ("semi_hard", {"margin": 1.0, "distance": "plain"})),
    "TripletHardLoss": ({}, ("batch_hard", {"margin": 1.0, "anchors": "all"})),
    "TripletHardLoss, soft": (
        {"soft": True},
        ("batch_hard", {"margin": "soft", "anchors": "all"}),
    ),
}


@pytest.mark.addons
@BATCHES
@pytest.mark.parametrize("name", SUCCESSORS)
def test_successors_of_their_classes(name, people):
    import tensorflow_addons as tfa

    rows, labels = batch(people)
    given, (mining, options) = SUCCESSORS[name]
    theirs = getattr(tfa.losses, name.partition(",")[0])(**given)
    ours = EmbeddingLoss("triplet", mining, **options)
    rows = tf.constant(rows, tf.float32)
    np.testing.assert_allclose(ours(labels, rows), theirs(labels, rows), rtol=1e-5)


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow_addons") is not None, reason="it is installed here"
)
@pytest.mark.parametrize("loss", [tfa_semihard, tfa_hard])
def test_says_what_to_install(loss):
    with pytest.raises(ImportError, match=r"facenet-tf\[addons\]"):
        loss(tf.ones([2, 3]), tf.constant([0, 1]))
