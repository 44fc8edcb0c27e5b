"""davidsandberg's Inception-ResNet-v1 written anew from his scopes, in plain operations.

Weights are made up when they are first asked for, under the names that his checkpoints have.
"""

import zlib

import numpy as np
import tensorflow as tf

EPSILON = 1e-3


class SlimNetwork:
    """The network in inference; `weights` fills as it is run.

    Args:
        dimensions: of the embedding.
    """

    def __init__(self, dimensions):
        self.dimensions, self.weights = dimensions, {}

    def embeddings(self, pictures):
        """Rows of length 1 for normalised pictures [B, 160, 160, 3]."""
        x = self._stem(tf.constant(pictures, tf.float32))
        for number in range(1, 6):
            x = self._block35(x, f"Repeat/block35_{number}")
        x = self._reduction_a(x)
        for number in range(1, 11):
            x = self._block17(x, f"Repeat_1/block17_{number}")
        x = self._reduction_b(x)
        for number in range(1, 6):
            x = self._block8(x, f"Repeat_2/block8_{number}", 0.2)
        x = self._block8(x, "Block8", 1.0, activation=False)
        x = tf.reduce_mean(x, axis=[1, 2])
        x = x @ self._made_up("Bottleneck/weights", (1792, self.dimensions))
        return tf.math.l2_normalize(self._norm(x, "Bottleneck"), axis=1).numpy()

    def _stem(self, x):
        x = self._conv(x, 32, "Conv2d_1a_3x3", 2, "VALID")
        x = self._conv(x, 32, "Conv2d_2a_3x3", 1, "VALID")
        x = self._conv(x, 64, "Conv2d_2b_3x3")
        x = tf.nn.max_pool2d(x, 3, 2, "VALID")
        x = self._conv(x, 80, "Conv2d_3b_1x1", 1, "VALID")
        x = self._conv(x, 192, "Conv2d_4a_3x3", 1, "VALID")
        return self._conv(x, 256, "Conv2d_4b_3x3", 2, "VALID")

    def _block35(self, x, scope):
        a = self._conv(x, 32, f"{scope}/Branch_0/Conv2d_1x1")
        b = self._conv(x, 32, f"{scope}/Branch_1/Conv2d_0a_1x1")
        b = self._conv(b, 32, f"{scope}/Branch_1/Conv2d_0b_3x3")
        c = self._conv(x, 32, f"{scope}/Branch_2/Conv2d_0a_1x1")
        c = self._conv(c, 32, f"{scope}/Branch_2/Conv2d_0b_3x3")
        c = self._conv(c, 32, f"{scope}/Branch_2/Conv2d_0c_3x3")
        return tf.nn.relu(x + 0.17 * self._up([a, b, c], 256, scope))

    def _block17(self, x, scope):
        a = self._conv(x, 128, f"{scope}/Branch_0/Conv2d_1x1")
        b = self._conv(x, 128, f"{scope}/Branch_1/Conv2d_0a_1x1")
        b = self._conv(b, 128, f"{scope}/Branch_1/Conv2d_0b_1x7")
        b = self._conv(b, 128, f"{scope}/Branch_1/Conv2d_0c_7x1")
        return tf.nn.relu(x + 0.1 * self._up([a, b], 896, scope))

    def _block8(self, x, scope, scale, activation=True):
        a = self._conv(x, 192, f"{scope}/Branch_0/Conv2d_1x1")
        b = self._conv(x, 192, f"{scope}/Branch_1/Conv2d_0a_1x1")
        b = self._conv(b, 192, f"{scope}/Branch_1/Conv2d_0b_1x3")
        b = self._conv(b, 192, f"{scope}/Branch_1/Conv2d_0c_3x1")
        x = x + scale * self._up([a, b], 1792, scope)
        return tf.nn.relu(x) if activation else x

    def _reduction_a(self, x):
        a = self._conv(x, 384, "Mixed_6a/Branch_0/Conv2d_1a_3x3", 2, "VALID")
        b = self._conv(x, 192, "Mixed_6a/Branch_1/Conv2d_0a_1x1")
        b = self._conv(b, 192, "Mixed_6a/Branch_1/Conv2d_0b_3x3")
        b = self._conv(b, 256, "Mixed_6a/Branch_1/Conv2d_1a_3x3", 2, "VALID")
        return tf.concat([a, b, tf.nn.max_pool2d(x, 3, 2, "VALID")], 3)

    def _reduction_b(self, x):
        a = self._conv(x, 256, "Mixed_7a/Branch_0/Conv2d_0a_1x1")
        a = self._conv(a, 384, "Mixed_7a/Branch_0/Conv2d_1a_3x3", 2, "VALID")
        b = self._conv(x, 256, "Mixed_7a/Branch_1/Conv2d_0a_1x1")
        b = self._conv(b, 256, "Mixed_7a/Branch_1/Conv2d_1a_3x3", 2, "VALID")
        c = self._conv(x, 256, "Mixed_7a/Branch_2/Conv2d_0a_1x1")
        c = self._conv(c, 256, "Mixed_7a/Branch_2/Conv2d_0b_3x3")
        c = self._conv(c, 256, "Mixed_7a/Branch_2/Conv2d_1a_3x3", 2, "VALID")
        return tf.concat([a, b, c, tf.nn.max_pool2d(x, 3, 2, "VALID")], 3)

    def _up(self, branches, filters, scope):
        x = tf.concat(branches, 3)
        kernel = self._made_up(f"{scope}/Conv2d_1x1/weights", (1, 1, x.shape[3], filters))
        return tf.nn.conv2d(x, kernel, 1, "SAME") + self._made_up(
            f"{scope}/Conv2d_1x1/biases", (filters,)
        )

    def _conv(self, x, filters, scope, stride=1, padding="SAME"):
        height, width = map(int, scope.rpartition("_")[2].split("x"))
        kernel = self._made_up(f"{scope}/weights", (height, width, x.shape[3], filters))
        return tf.nn.relu(self._norm(tf.nn.conv2d(x, kernel, stride, padding), scope))

    def _norm(self, x, scope):
        parts = ("moving_mean", "moving_variance", "beta")
        mean, variance, beta = (
            self._made_up(f"{scope}/BatchNorm/{part}", (x.shape[-1],)) for part in parts
        )
        return tf.nn.batch_normalization(x, mean, variance, beta, None, EPSILON)

    def _made_up(self, name, shape):
        full = f"InceptionResnetV1/{name}"
        if full not in self.weights:
            random = np.random.RandomState(zlib.crc32(full.encode()))
            if full.endswith("variance"):
                values = 0.5 + random.rand(*shape)
            elif len(shape) == 1:
                values = 0.1 * random.randn(*shape)
            else:
                values = random.randn(*shape) * np.sqrt(2 / np.prod(shape[:-1]))
            self.weights[full] = values.astype(np.float32)
        return self.weights[full]
