import functools

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from facenet_tf.losses import (
    arcface,
    combined_margin,
    cosface,
    normface,
    sample_classes,
    softmax,
    sphereface,
)

RANDOM = np.random.default_rng(5)
CLASSES, SAMPLE, DRAWS = 40, 14, 2000
LABELS = tf.constant([7, 39, 0, 7, 21, 7], tf.int64)
ROWS = tf.constant(RANDOM.normal(size=(6, 5)), tf.float32)
PROTOTYPES = RANDOM.normal(size=(CLASSES, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def draws():
    """Classes and places [DRAWS, …], a seed each."""
    seeds = tf.stack([tf.range(DRAWS), tf.zeros(DRAWS, tf.int32)], axis=1)
    draw = functools.partial(sample_classes, LABELS, CLASSES, SAMPLE)
    kinds = (tf.TensorSpec([SAMPLE], tf.int32), tf.TensorSpec([6], tf.int32))
    every = tf.function(lambda: tf.map_fn(draw, seeds, fn_output_signature=kinds))
    return [each.numpy() for each in every()]


def test_a_sample_is_so_many_classes_rising_and_none_twice(draws):
    assert draws[0].shape == (DRAWS, SAMPLE)
    assert np.all(np.diff(draws[0], axis=1) > 0)
    assert draws[0].min() == 0 and draws[0].max() == CLASSES - 1


def test_classes_of_the_batch_are_always_in_it_at_the_places_told(draws):
    ids, local = draws
    found = np.take_along_axis(ids, local, axis=1)
    np.testing.assert_array_equal(found, np.tile(LABELS.numpy(), (DRAWS, 1)))


def test_other_classes_are_drawn_uniformly_and_in_no_pairs(draws):
    counts = np.bincount(draws[0].ravel(), minlength=CLASSES)
    others = np.setdiff1d(np.arange(CLASSES), LABELS)
    assert counts[others].sum() == DRAWS * (SAMPLE - 4)
    # Draws without replacement: the statistic shrinks by the share that is left out.
    spread = scipy.stats.chisquare(counts[others]).statistic / (1 - (SAMPLE - 4) / len(others))
    assert 0.001 < scipy.stats.chi2.sf(spread, len(others) - 1) < 0.999
    drawn = np.zeros((DRAWS, CLASSES), bool)
    np.put_along_axis(drawn, draws[0], True, axis=1)
    together = np.corrcoef(drawn[:, others].T)[np.triu_indices(len(others), 1)]
    np.testing.assert_allclose(together, -1 / (len(others) - 1), atol=5 / np.sqrt(DRAWS))


def test_same_seed_same_sample_with_and_without_xla():
    draw = functools.partial(sample_classes, LABELS, CLASSES, SAMPLE)
    found = [tf.function(draw, jit_compile=jit)(tf.constant([3, 4])) for jit in (True, False)]
    for one, other in zip(*found):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(found[0][0], draw(tf.constant([3, 5]))[0])


def value_and_gradient(loss, sample, **options):
    prototypes = tf.Variable(PROTOTYPES)
    with tf.GradientTape() as tape:
        ids, local = sample_classes(LABELS, CLASSES, sample, tf.constant([1, 2]))
        value = loss(ROWS, local, tf.gather(prototypes, ids), **options)
    return value, tape.gradient(value, prototypes), ids


LOSSES = [softmax, normface, cosface, arcface, sphereface, combined_margin]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_sample_of_all_is_the_full_loss_exactly(loss):
    value, gradient, _ = value_and_gradient(loss, CLASSES)
    prototypes = tf.Variable(PROTOTYPES)
    with tf.GradientTape() as tape:
        full = loss(ROWS, LABELS, prototypes)
    np.testing.assert_array_equal(value, full)
    np.testing.assert_array_equal(tf.convert_to_tensor(gradient), tape.gradient(full, prototypes))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_fewer_classes_are_easier_and_have_the_whole_gradient(loss):
    value, gradient, ids = value_and_gradient(loss, SAMPLE)
    assert np.all(value <= value_and_gradient(loss, CLASSES)[0])
    assert isinstance(gradient, tf.IndexedSlices)
    assert gradient.values.shape == (SAMPLE, 5)
    np.testing.assert_array_equal(gradient.indices, ids)
    assert np.count_nonzero(np.any(gradient.values.numpy() != 0, axis=1)) > 4


def test_more_classes_than_a_batch_needs_or_there_are_is_refused():
    draw = functools.partial(sample_classes, LABELS, seed=tf.constant([1, 2]))
    for sample in (5, 41):
        with pytest.raises(ValueError, match=f"a sample of {sample} classes: take at least 6"):
            draw(CLASSES, sample)
    assert sample_classes(LABELS % 3, 3, 3, tf.constant([1, 2]))[0].shape == (3,)
    with pytest.raises(ValueError, match="labels must be integers"):
        sample_classes(tf.zeros(4), CLASSES, SAMPLE, tf.constant([1, 2]))
