"""Convolution in groups, against one convolution for each group."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.models import GroupedConvolution


@pytest.fixture
def layer():
    keras.utils.set_random_seed(2)
    layer = GroupedConvolution(3, groups=4)
    layer.build((None, 6, 5, 12))
    return layer


def one_by_one(images, kernel, groups):
    inputs = tf.split(images, groups, axis=3)
    kernels = tf.split(kernel, groups, axis=3)
    return tf.concat([tf.nn.conv2d(x, k, 1, "SAME") for x, k in zip(inputs, kernels)], 3)


def test_equals_a_convolution_for_each_group_with_its_gradients(layer):
    images = tf.constant(np.random.RandomState(1).randn(2, 6, 5, 12), tf.float32)
    kernel = tf.convert_to_tensor(layer.kernel)
    assert kernel.shape == (3, 3, 3, 12)
    slopes = tf.random.stateless_normal(images.shape, [1, 2])
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(slopes * layer(images))
    by_images, by_kernel = tape.gradient(total, [images, layer.trainable_variables[0]])
    with tf.GradientTape() as tape:
        tape.watch([images, kernel])
        expected = one_by_one(images, kernel, 4)
        total = tf.reduce_sum(slopes * expected)
    np.testing.assert_allclose(layer(images), expected, atol=1e-5)
    for found, wanted in zip((by_images, by_kernel), tape.gradient(total, [images, kernel])):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_of_one_channel_each_is_depthwise(layer):
    images = np.random.RandomState(1).randn(1, 4, 4, 3).astype(np.float32)
    depthwise = GroupedConvolution(3, groups=3)
    depthwise.build(images.shape)
    kernel = tf.transpose(tf.convert_to_tensor(depthwise.kernel), [0, 1, 3, 2])
    expected = tf.nn.depthwise_conv2d(images, kernel, [1, 1, 1, 1], "SAME")
    np.testing.assert_allclose(depthwise(images), expected, atol=1e-6)


def test_groups_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="5 groups do not divide 12 channels"):
        GroupedConvolution(3, groups=5).build((None, 6, 5, 12))


def test_survives_its_config(layer):
    again = GroupedConvolution.from_config(layer.get_config())
    assert (again.size, again.groups) == (3, 4)
