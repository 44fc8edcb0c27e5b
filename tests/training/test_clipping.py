"""Gradients within a limit, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.training.clipping import clipped

GRADIENTS = [np.array([3.0, -4.0], np.float32), np.array([[0.1, 0.2], [-12.0, 0.0]], np.float32)]
NORM = np.sqrt(sum((gradient**2).sum() for gradient in GRADIENTS))


def by_variable(gradient, limit):
    return gradient * min(1, limit / np.linalg.norm(gradient))


@pytest.mark.parametrize("limit", [0.5, 6.0, 100.0])
@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("all", lambda gradient, limit: gradient * min(1, limit / NORM)),
        ("variable", by_variable),
        ("value", lambda gradient, limit: np.clip(gradient, -limit, limit)),
    ],
    ids=["all", "variable", "value"],
)
def test_the_limit_is_of_what_it_says(by, expected, limit):
    found = clipped([tf.constant(each) for each in GRADIENTS], tf.constant(NORM), limit, by)
    for gradient, start in zip(found, GRADIENTS, strict=True):
        np.testing.assert_allclose(gradient, expected(start, limit), rtol=1e-6)


@pytest.mark.parametrize("by", ["all", "variable", "value"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_stays_so(by, value):
    spoiled = tf.constant([1.0, value])
    (found,) = clipped([spoiled], tf.linalg.global_norm([spoiled]), 0.5, by)
    assert not np.isfinite(found[1])


def test_without_a_limit_nothing_is_done():
    gradients = [tf.constant(each) for each in GRADIENTS]
    assert clipped(gradients, tf.constant(NORM), 0, "value") is gradients
