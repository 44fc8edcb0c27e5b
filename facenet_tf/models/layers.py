"""Layers the architectures share, registered so that `.keras` files load in safe mode."""

from __future__ import annotations

from typing import Any, get_args

import keras
import tensorflow as tf

from facenet_tf.preprocessing import PIXEL_SCALES, Normalization
from facenet_tf.replicas import gathered, replica_count, summed


@keras.saving.register_keras_serializable("facenet_tf")
class PixelNormalization(keras.layers.Layer):
    """First layer: pixels 0...255 to network input, float32 under any precision policy.

    "per_image" is `(pixel - mean) / deviation` over each image, the deviation bounded from below by
    `1 / sqrt(number of values)` for uniform images, as in `tf.image.per_image_standardization`. The
    others have constants, in `preprocessing.PIXEL_SCALES`: "fixed" is `(pixel - 127.5) / 128`.
    """

    def __init__(self, preprocessing: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        if preprocessing["normalization"] not in get_args(Normalization):
            raise ValueError(f"unknown normalization {preprocessing['normalization']!r}")
        self.preprocessing = dict(preprocessing)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise [B, H, W, C] of any number type to float32 of the same shape."""
        pixels = tf.cast(inputs, tf.float32)
        constants = PIXEL_SCALES.get(self.preprocessing["normalization"])
        if constants is not None:
            return (pixels - constants.mean[: pixels.shape[-1]]) / constants.scale
        mean = tf.reduce_mean(pixels, axis=[1, 2, 3], keepdims=True)
        variance = tf.reduce_mean(tf.square(pixels - mean), axis=[1, 2, 3], keepdims=True)
        values = pixels.shape[1] * pixels.shape[2] * pixels.shape[3]
        return (pixels - mean) / tf.sqrt(tf.maximum(variance, 1.0 / values))

    def get_config(self) -> dict[str, Any]:
        """Config with the fields of `Preprocessing`."""
        return {**super().get_config(), "preprocessing": self.preprocessing}


@keras.saving.register_keras_serializable("facenet_tf")
class UnitLength(keras.layers.Layer):
    """Last layer: rows scaled to length 1, float32 under any precision policy.

    Rows shorter than 1e-6 become 0 with gradient 0: their direction is noise, and its gradient
    would be a million times that of other rows.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Scale [B, D] of any floating type to float32 [B, D]."""
        rows = tf.cast(inputs, tf.float32)
        squares = tf.reduce_sum(tf.square(rows), axis=-1, keepdims=True)
        short = squares < 1e-12  # false for NaN, which must not be hidden
        length = tf.sqrt(tf.where(short, tf.ones_like(squares), squares))
        return tf.where(short, tf.zeros_like(rows), rows / length)


@keras.saving.register_keras_serializable("facenet_tf")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation of [B, H, W, C] over all but the last axis, by TensorFlow's fused kernel.

    Keras 3 composes batch normalisation of single operations, each of which reads and writes the
    whole tensor, which on a CPU costs more than the convolutions in between. One kernel does it
    once; statistics and weights are float32 in bfloat16 too. The moving variance is the unbiased
    one, as in Keras 2. Replicas that train together have the statistics of their whole batch.

    Args:
        axis, center, scale, synchronized: as of the plain layer, but the kernel knows only the
            last axis with an offset, and there is no choice of synchronisation.

    Raises:
        ValueError: another axis, no offset, or a choice of synchronisation.
    """

    def __init__(
        self,
        axis: int | list[int] = -1,
        *,
        center: bool = True,
        scale: bool = True,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(axis=axis, center=center, scale=scale, synchronized=synchronized, **kwargs)
        if not center or synchronized:
            raise ValueError("the fused kernel needs center and synchronized=False")
        # Keras 2 saves the axis as a list.
        self._axes = [axis] if isinstance(axis, int) else list(axis)

    def build(self, input_shape: Any) -> None:
        """Create the weights, after the input was found to be [B, H, W, C]."""
        rank = len(input_shape)
        if rank != 4 or self._axes not in ([-1], [3]):
            raise ValueError(
                "the fused kernel normalises along the last axis of [B, H, W, C], not along "
                f"{self._axes} of {tuple(input_shape)}"
            )
        super().build(input_shape)

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Normalise by the batch in training, by the moving statistics otherwise."""
        beta = tf.cast(self.beta, tf.float32)
        gamma = tf.cast(self.gamma, tf.float32) if self.scale else tf.ones_like(beta)
        if not (training and self.trainable):
            moving = {"mean": self.moving_mean, "variance": self.moving_variance}
            moving = {name: tf.cast(value, tf.float32) for name, value in moving.items()}
            return _fused(inputs, gamma, beta, epsilon=self.epsilon, is_training=False, **moving)[0]
        normalize = _fused if replica_count() == 1 else _normalized_over_replicas
        outputs, mean, variance = normalize(inputs, gamma, beta, epsilon=self.epsilon)
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return outputs


_fused = tf.compat.v1.nn.fused_batch_norm
_LEAST_EPSILON = 1.001e-5  # it takes this for a smaller one


def _normalized_over_replicas(
    inputs: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What `_fused` returns for the batches of all replicas joined, here for the own one.

    The kernel knows no other replicas: it is given the statistics, and the gradient is written out
    (Ioffe and Szegedy, Batch Normalization, 2015, section 3). Each way takes one collective.
    """
    means, variances = _moments_of_replicas(inputs)
    mean = tf.reduce_mean(means, axis=0)
    # E[x²] - E[x]² would lose the digits that a large mean leaves none.
    variance = tf.reduce_mean(variances + tf.square(means - mean), axis=0)
    count = tf.cast(tf.size(inputs) // tf.size(mean), tf.float32) * replica_count()

    @tf.custom_gradient
    def normalized(inputs: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> Any:
        def gradients(slopes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            slopes = tf.cast(slopes, tf.float32)
            inverse = tf.math.rsqrt(variance + max(epsilon, _LEAST_EPSILON))
            units = (tf.cast(inputs, tf.float32) - mean) * inverse
            by_beta = tf.reduce_sum(slopes, axis=[0, 1, 2])
            by_gamma = tf.reduce_sum(slopes * units, axis=[0, 1, 2])
            everywhere = tf.unstack(summed([tf.stack([by_beta, by_gamma])])[0] / count)
            by_inputs = gamma * inverse * (slopes - everywhere[0] - units * everywhere[1])
            return tf.cast(by_inputs, inputs.dtype), by_gamma, by_beta

        outputs, *_ = _fused(inputs, gamma, beta, mean, variance, epsilon, is_training=False)
        return outputs, gradients

    unbiased = variance * count / tf.maximum(count - 1.0, 1.0)
    return normalized(inputs, gamma, beta), mean, unbiased


def _moments_of_replicas(inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Means and variances of each replica's [B, H, W, C], float32 [replicas, C] each."""
    own = tf.nn.moments(tf.cast(inputs, tf.float32), axes=[0, 1, 2])
    whole = gathered([tf.stack(own)[None]])[0]
    return whole[:, 0], whole[:, 1]


@keras.saving.register_keras_serializable("facenet_tf")
class L2Pooling(keras.layers.Layer):
    """Root of the mean or of the sum of squares over square windows.

    The pooling of Schroff et al. 2015, Table 2. Squares are taken in float32, where those of
    float16 activations cannot overflow.

    Args:
        pool_size: side of the window.
        strides: of both directions.
        padding: "same", which does not count in a mean, or "valid".
        reduction: "mean", or "sum" with padding "valid", as Torch has it.

    Raises:
        ValueError: for an unknown reduction, or padding that would count in a sum.
    """

    def __init__(
        self,
        pool_size: int = 3,
        strides: int = 1,
        padding: str = "same",
        reduction: str = "mean",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (padding, reduction) not in (("same", "mean"), ("valid", "mean"), ("valid", "sum")):
            raise ValueError(f"padding {padding!r} and reduction {reduction!r} do not go together")
        self.pool_size, self.strides = pool_size, strides
        self.padding, self.reduction = padding, reduction

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Pool [B, H, W, C] to [B, H', W', C] of the same type."""
        squares = tf.square(tf.cast(inputs, tf.float32))
        pooled = tf.nn.avg_pool2d(squares, self.pool_size, self.strides, self.padding.upper())
        if self.reduction == "sum":
            pooled *= float(self.pool_size**2)
        # The root's slope is infinite at 0, where a window after ReLU often is.
        return tf.cast(tf.sqrt(tf.maximum(pooled, 1e-12)), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Config with window, stride, padding and reduction."""
        names = ("pool_size", "strides", "padding", "reduction")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("facenet_tf")
class ScaledSum(keras.layers.Layer):
    """`x + scale · y`: the scaled residual of Szegedy et al., Inception-v4, 2016, §3.3."""

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """The sum of two tensors of one shape and type."""
        x, y = inputs
        return x + tf.cast(self.scale, y.dtype) * y

    def get_config(self) -> dict[str, Any]:
        """Config with the scale."""
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable("facenet_tf")
class ChannelAffine(keras.layers.Layer):
    """`gamma · x + beta` with a scale and an offset for each channel: what batch normalisation is
    once its statistics are fixed, in training too."""

    def build(self, input_shape: Any) -> None:
        """Create gamma and beta, [C] each."""
        channels = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=channels, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=channels, initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Scale and shift [..., C] of any floating type."""
        return inputs * tf.cast(self.gamma, inputs.dtype) + tf.cast(self.beta, inputs.dtype)


@keras.saving.register_keras_serializable("facenet_tf")
class PaddedSum(keras.layers.Layer):
    """The sum of two maps of different sizes, each filled up with zeros at the end of its rows,
    columns and channels to the larger one, as dlib's `add_prev` does."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """The sum of [B, H, W, C] and [B, H', W', C'] of one type, its sides the larger ones."""
        x, y = inputs
        return _filled_up(x, y) + _filled_up(y, x)


def _filled_up(x: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    missing = [max(theirs - ours, 0) for ours, theirs in zip(x.shape[1:], other.shape[1:])]
    return tf.pad(x, [[0, 0], *([0, count] for count in missing)])
