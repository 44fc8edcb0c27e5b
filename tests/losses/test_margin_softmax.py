import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import arcface, cosface

from .twin import finite_differences, unit

RANDOM = np.random.default_rng(7)
ROWS = RANDOM.normal(size=(6, 5))
PROTOTYPES = RANDOM.normal(size=(4, 5))
LABELS = np.array([0, 1, 2, 3, 1, 1])
LOSSES = pytest.mark.parametrize("loss", [cosface, arcface])


def twin(loss, rows, prototypes, labels, scale, margin):
    """Per-example losses by the angle itself, one example at a time."""
    losses = []
    for row, label in zip(unit(rows), labels, strict=True):
        cosines = unit(prototypes) @ row
        angle = np.arccos(np.clip(cosines[label], -1, 1))
        if loss is cosface:
            cosines[label] -= margin
        elif angle + margin < np.pi:
            cosines[label] = np.cos(angle + margin)
        else:
            cosines[label] -= margin * np.sin(margin)
        logits = scale * cosines
        losses.append(np.logaddexp.reduce(logits) - logits[label])
    return np.array(losses)


def value_and_gradients(loss, rows, prototypes, labels, jit, **options):
    @tf.function(jit_compile=jit)
    def compute(rows, prototypes):
        with tf.GradientTape() as tape:
            tape.watch([rows, prototypes])
            values = loss(rows, tf.constant(labels), prototypes, **options)
            mean = tf.reduce_mean(values)
        return values, *tape.gradient(mean, [rows, prototypes])

    results = compute(tf.constant(rows, tf.float32), tf.constant(prototypes, tf.float32))
    return [result.numpy() for result in results]


@LOSSES
@pytest.mark.parametrize(("scale", "margin"), [(1.0, 0.0), (24.0, 0.2), (64.0, 0.5)])
def test_value_and_gradient_equal_twin(loss, scale, margin, jit):
    options = {"scale": scale, "margin": margin}
    values, rows, prototypes = value_and_gradients(loss, ROWS, PROTOTYPES, LABELS, jit, **options)
    expected = twin(loss, ROWS, PROTOTYPES, LABELS, **options)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)

    of_rows = finite_differences(
        lambda x: twin(loss, x, PROTOTYPES, LABELS, **options).mean(), ROWS
    )
    of_prototypes = finite_differences(
        lambda x: twin(loss, ROWS, x, LABELS, **options).mean(), PROTOTYPES
    )
    np.testing.assert_allclose(rows, of_rows, rtol=1e-3, atol=2e-4)
    np.testing.assert_allclose(prototypes, of_prototypes, rtol=1e-3, atol=2e-4)


@LOSSES
def test_equals_plain_softmax_without_margin(loss):
    values = loss(
        tf.constant(ROWS), tf.constant(LABELS), tf.constant(PROTOTYPES), scale=10.0, margin=0.0
    )
    logits = tf.constant(10 * unit(ROWS) @ unit(PROTOTYPES).T)
    expected = tf.keras.losses.sparse_categorical_crossentropy(LABELS, logits, from_logits=True)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


@LOSSES
def test_length_does_not_matter(loss):
    options = {"scale": 24.0, "margin": 0.2}
    one = value_and_gradients(loss, ROWS, PROTOTYPES, LABELS, True, **options)[0]
    other = value_and_gradients(loss, 5 * ROWS, 0.3 * PROTOTYPES, LABELS, True, **options)[0]
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@LOSSES
def test_finite_at_the_prototype_opposite_to_it_and_at_zero(loss, jit):
    rows = np.stack([PROTOTYPES[0], -PROTOTYPES[1], np.zeros(5)])
    results = value_and_gradients(loss, rows, PROTOTYPES, np.array([0, 1, 2]), jit)
    assert all(np.all(np.isfinite(result)) for result in results)


def test_arcface_falls_with_the_cosine_all_the_way():
    angles = np.linspace(0, np.pi, 50)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    losses = arcface(
        tf.constant(rows), tf.zeros(50, tf.int32), tf.constant([[1.0, 0.0], [-1.0, 0.0]])
    )
    assert np.all(np.diff(losses) > -1e-4)


@LOSSES
def test_float16_is_computed_in_float32(loss):
    rows, prototypes = tf.constant(ROWS, tf.float16), tf.constant(PROTOTYPES, tf.float16)
    values = loss(rows, tf.constant(LABELS), prototypes)
    assert values.dtype == tf.float32
    expected = loss(tf.cast(rows, tf.float32), tf.constant(LABELS), tf.cast(prototypes, tf.float32))
    np.testing.assert_array_equal(values, expected)


@LOSSES
def test_float_labels_are_refused(loss):
    with pytest.raises(ValueError, match="labels must be integers"):
        loss(tf.constant(ROWS), tf.zeros(6), tf.constant(PROTOTYPES))
