import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.models import (
    ChannelAffine,
    FusedBatchNormalization,
    L2Pooling,
    PaddedSum,
    PixelNormalization,
    UnitLength,
)
from facenet_tf.preprocessing import Preprocessing

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
JIT = pytest.mark.parametrize("jit", [False, True], ids=["graph", "jit"])


def value_and_gradient(layer, inputs, jit, weights=None):
    """Output, and gradient of the sum of outputs times `weights`."""

    @tf.function(jit_compile=jit)
    def compute(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
            total = tf.reduce_sum(outputs if weights is None else outputs * weights)
        return outputs, tape.gradient(total, inputs)

    outputs, gradient = compute(tf.constant(inputs, tf.float32))
    return outputs.numpy(), gradient.numpy()


def restored(layer):
    return type(layer).from_config(layer.get_config())


class TestPixelNormalization:
    def layer(self, **fields):
        return PixelNormalization(Preprocessing(**fields).to_dict())

    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    def test_fixed(self, dtype):
        values = self.layer()(PIXELS.astype(dtype))
        np.testing.assert_allclose(values, (PIXELS - 127.5) / 128, atol=1e-6)

    def test_per_image(self):
        values = self.layer(normalization="per_image")(PIXELS)
        np.testing.assert_allclose(
            values, tf.image.per_image_standardization(PIXELS), rtol=1e-4, atol=1e-5
        )

    def test_dlib_has_a_mean_for_each_channel(self):
        values = self.layer(normalization="dlib")(PIXELS)
        np.testing.assert_allclose(
            values, (PIXELS - np.array([122.782, 117.001, 104.298])) / 256, atol=1e-6
        )

    def test_fixed_holds_for_grey(self):
        grey = PIXELS[..., :1]
        values = self.layer(color="grey")(grey)
        np.testing.assert_allclose(values, (grey - 127.5) / 128, atol=1e-6)

    def test_per_image_of_a_uniform_image_is_zero(self):
        values = self.layer(normalization="per_image")(np.full((1, 8, 8, 3), 200, np.uint8))
        np.testing.assert_array_equal(values, 0)

    @pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
    def test_float32_under_any_policy(self, policy):
        layer = PixelNormalization(Preprocessing().to_dict(), dtype=policy)
        assert layer(PIXELS).dtype == tf.float32

    def test_config_carries_preprocessing(self):
        layer = restored(self.layer(size=96, normalization="per_image"))
        expected = Preprocessing(size=96, normalization="per_image")
        assert Preprocessing.from_dict(layer.preprocessing) == expected

    def test_unknown_normalization(self):
        with pytest.raises(ValueError, match="normalization"):
            PixelNormalization({**Preprocessing().to_dict(), "normalization": "none"})


class TestUnitLength:
    ROWS = RANDOM.normal(size=(5, 7))
    WEIGHTS = tf.constant(RANDOM.normal(size=(5, 7)), tf.float32)

    @JIT
    def test_value_and_gradient(self, jit):
        values, gradient = value_and_gradient(UnitLength(), self.ROWS, jit, self.WEIGHTS)
        length = np.linalg.norm(self.ROWS, axis=1, keepdims=True)
        unit, weights = self.ROWS / length, self.WEIGHTS.numpy()
        np.testing.assert_allclose(values, unit, rtol=1e-5)
        projected = weights - unit * np.sum(weights * unit, axis=1, keepdims=True)
        np.testing.assert_allclose(gradient, projected / length, rtol=1e-4, atol=1e-6)

    @JIT
    @pytest.mark.parametrize("length", [0.0, 1e-30, 1e-7])
    def test_rows_without_direction_are_zero(self, length, jit):
        rows = np.stack([length * self.ROWS[0], self.ROWS[1]])
        values, gradient = value_and_gradient(UnitLength(), rows, jit, self.WEIGHTS[:2])
        np.testing.assert_array_equal(values[0], 0)
        np.testing.assert_array_equal(gradient[0], 0)
        assert np.linalg.norm(values[1]) == pytest.approx(1)

    @JIT
    def test_nan_is_not_hidden(self, jit):
        rows = self.ROWS.copy()
        rows[2, 3] = np.nan
        values, _ = value_and_gradient(UnitLength(), rows, jit)
        np.testing.assert_array_equal(np.isnan(values).all(axis=1), np.arange(5) == 2)

    @pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
    @pytest.mark.parametrize("size", [3e-4, 6e4])
    def test_half_precision_input_does_not_overflow(self, dtype, size):
        """Squares of these values are 0 or infinite in float16."""
        values = UnitLength()(tf.fill([2, 128], tf.constant(size, dtype)))
        assert values.dtype == tf.float32
        np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, rtol=1e-5)


class TestL2Pooling:
    @pytest.mark.parametrize(("size", "strides"), [(3, 1), (3, 2), (2, 2)])
    def test_equals_twin(self, size, strides):
        inputs = RANDOM.normal(size=(2, 7, 7, 3)).astype(np.float32)
        layer = restored(L2Pooling(size, strides))
        out = -(-7 // strides)
        before = max((out - 1) * strides + size - 7, 0) // 2
        expected = np.zeros((2, out, out, 3))
        for i, j in np.ndindex(out, out):
            top, left = i * strides - before, j * strides - before
            window = inputs[:, max(top, 0) : top + size, max(left, 0) : left + size]
            expected[:, i, j] = np.sqrt(np.mean(window.astype(float) ** 2, axis=(1, 2)))
        np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5)

    def test_sum_over_whole_windows(self):
        """As Torch has it: what lacks a part of the window is left out."""
        inputs = RANDOM.normal(size=(2, 7, 8, 3)).astype(np.float32)
        layer = restored(L2Pooling(3, 3, padding="valid", reduction="sum"))
        windows = inputs[:, :6, :6].astype(float).reshape(2, 2, 3, 2, 3, 3)
        expected = np.sqrt(np.sum(windows**2, axis=(2, 4)))
        np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5)

    def test_padding_does_not_count(self):
        with pytest.raises(ValueError, match="do not go together"):
            L2Pooling(padding="same", reduction="sum")

    @JIT
    def test_gradient_is_finite_at_zero(self, jit):
        inputs = np.zeros((1, 6, 6, 2))
        inputs[:, 0, 0] = 1
        _, gradient = value_and_gradient(L2Pooling(), inputs, jit)
        assert np.all(np.isfinite(gradient))
        assert gradient[0, 0, 0, 0] > 0
        np.testing.assert_array_equal(gradient[:, 3:, 3:], 0)

    def test_float16_squares_do_not_overflow(self):
        values = L2Pooling(dtype="float16")(tf.fill([1, 4, 4, 1], tf.constant(1e3, tf.float16)))
        assert values.dtype == tf.float16
        np.testing.assert_allclose(values, 1e3, rtol=1e-3)


class TestFusedBatchNormalization:
    INPUTS = (3 + 2 * RANDOM.normal(size=(4, 5, 5, 6))).astype(np.float32)
    WEIGHTS = tf.constant(RANDOM.normal(size=(4, 5, 5, 6)), tf.float32)

    @pytest.fixture(params=[True, False], ids=["scale", "no_scale"])
    def layers(self, request):
        """The fused layer and the plain one, with the same weights."""
        both = [
            kind(momentum=0.8, epsilon=1e-4, scale=request.param)
            for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)
        ]
        values = [0.5 + RANDOM.random(6) for _ in range(4)]
        for layer in both:
            layer.build((None, 5, 5, 6))
            layer.set_weights(values if request.param else values[1:])
        return both

    def run(self, layer, training, jit):
        @tf.function(jit_compile=jit)
        def compute(inputs):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = layer(inputs, training=training)
                total = tf.reduce_sum(outputs * self.WEIGHTS)
            return outputs, tape.gradient(total, [inputs, *layer.trainable_variables])

        outputs, gradients = compute(tf.constant(self.INPUTS))
        return [tensor.numpy() for tensor in (outputs, *gradients)]

    @JIT
    @pytest.mark.parametrize("training", [False, True])
    def test_equals_plain_layer(self, layers, training, jit):
        fused, plain = layers
        before = fused.get_weights()
        for ours, theirs in zip(
            self.run(fused, training, jit), self.run(plain, training, jit), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
        *_, mean, variance = fused.get_weights()
        if not training:
            np.testing.assert_array_equal([mean, variance], before[-2:])
            return
        values = self.INPUTS.astype(np.float64).reshape(-1, 6)
        np.testing.assert_allclose(mean, 0.8 * before[-2] + 0.2 * values.mean(0), rtol=1e-5)
        expected = 0.8 * before[-1] + 0.2 * values.var(0, ddof=1)
        np.testing.assert_allclose(variance, expected, rtol=1e-5)

    @pytest.mark.parametrize("options", [{"center": False}, {"synchronized": True}])
    def test_what_the_kernel_cannot_do_is_refused(self, options):
        with pytest.raises(ValueError, match="center and synchronized"):
            FusedBatchNormalization(**options)

    @pytest.mark.parametrize(("axis", "shape"), [(1, (None, 5, 5, 6)), (-1, (None, 6))])
    def test_other_axes_are_refused(self, axis, shape):
        with pytest.raises(ValueError, match="last axis"):
            FusedBatchNormalization(axis=axis).build(shape)

    def test_last_axis_may_be_named_by_its_number(self):
        FusedBatchNormalization(axis=3).build((None, 5, 5, 6))

    def test_frozen_layer_keeps_its_statistics(self, layers):
        fused, plain = layers
        fused.trainable = plain.trainable = False
        before = fused.get_weights()
        outputs = fused(self.INPUTS, training=True)
        np.testing.assert_allclose(outputs, plain(self.INPUTS, training=True), atol=1e-5)
        np.testing.assert_array_equal(fused.get_weights(), before)

    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    @pytest.mark.parametrize("training", [False, True])
    def test_mixed_precision_keeps_weights_and_statistics_float32(self, policy, training):
        layer = restored(FusedBatchNormalization(momentum=0.0, dtype=policy))
        outputs = layer(self.INPUTS, training=training)
        assert outputs.dtype == tf.as_dtype(policy.removeprefix("mixed_"))
        assert {variable.dtype for variable in layer.variables} <= {"float32", tf.float32}
        if training:
            values = self.INPUTS.reshape(-1, 6)
            np.testing.assert_allclose(layer.moving_mean, values.mean(0), rtol=5e-3)
            np.testing.assert_allclose(np.mean(outputs, axis=(0, 1, 2)), 0, atol=2e-2)


class TestChannelAffine:
    def layer(self, **options):
        layer = restored(ChannelAffine(**options))
        layer.build((None, 4, 4, 3))
        layer.set_weights([np.array([1.0, -2.0, 0.5]), np.array([0.0, 1.0, 3.0])])
        return layer

    @JIT
    def test_value_and_gradient(self, jit):
        inputs = RANDOM.normal(size=(2, 4, 4, 3))
        value, gradient = value_and_gradient(self.layer(), inputs, jit)
        np.testing.assert_allclose(value, inputs * [1, -2, 0.5] + [0, 1, 3], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(gradient, np.broadcast_to([1, -2, 0.5], inputs.shape))

    def test_starts_as_nothing_and_is_trained(self):
        layer = ChannelAffine()
        inputs = tf.constant(RANDOM.normal(size=(2, 3)), tf.float32)
        np.testing.assert_array_equal(layer(inputs, training=True), inputs)
        assert len(layer.trainable_variables) == 2

    def test_keeps_half_precision(self):
        outputs = self.layer(dtype="mixed_bfloat16")(tf.ones((1, 4, 4, 3), tf.bfloat16))
        assert outputs.dtype == tf.bfloat16


class TestPaddedSum:
    @JIT
    @pytest.mark.parametrize("shapes", [((3, 3, 5), (4, 4, 2)), ((2, 4, 1), (4, 2, 1))])
    def test_both_are_filled_up_with_zeros_at_the_end(self, shapes, jit):
        maps = [RANDOM.normal(size=(2, *shape)).astype(np.float32) for shape in shapes]
        expected = np.zeros((2, *np.maximum(*shapes)), np.float32)
        for values in maps:
            expected[tuple(slice(side) for side in values.shape)] += values
        layer = restored(PaddedSum())
        np.testing.assert_array_equal(tf.function(layer, jit_compile=jit)(maps), expected)

    def test_in_a_model_of_any_batch_size(self):
        inputs = [keras.Input((3, 3, 5)), keras.Input((4, 4, 2))]
        model = keras.Model(inputs, PaddedSum()(inputs))
        assert model.output_shape == (None, 4, 4, 5)
