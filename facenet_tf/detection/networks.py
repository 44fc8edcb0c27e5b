"""The three networks of MTCNN (Zhang et al. 2016) as plain tensor operations, with the weights of
the `mtcnn` wheel."""

import functools
import hashlib
import importlib.util
from pathlib import Path

import joblib
import numpy as np
import tensorflow as tf

from facenet_tf.errors import InputError

Array = np.ndarray
Weights = list[Array]


def weights_file(name: str) -> Path:
    """The file of "pnet", "rnet" or "onet" in the installed `mtcnn` package, which is not imported.

    Raises InputError if the package or the file is missing.
    """
    spec = importlib.util.find_spec("mtcnn")
    folders = spec.submodule_search_locations if spec else None
    file = Path(folders[0], "assets", "weights", f"{name}.lz4") if folders else Path()
    if not file.is_file():
        raise InputError(
            f"the weights {name}.lz4 of the package mtcnn are missing: pip install 'mtcnn>=1.0'"
        )
    return file


def weights_digest() -> str:
    """16 hex digits over the three weight files."""
    digest = hashlib.sha256()
    for name in ("pnet", "rnet", "onet"):
        digest.update(weights_file(name).read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def load_weights(name: str) -> Weights:
    """Kernels, biases and PReLU slopes of one network in the order of its layers, float32."""
    return [np.asarray(array, np.float32) for array in joblib.load(weights_file(name))]


class ProposalNetwork(tf.Module):
    """P-Net, run over a whole picture: is there a face in this 12x12 cell, one cell every two
    pixels?"""

    def __init__(self, threshold: float) -> None:
        super().__init__(name="proposal_network")
        self.layers = load_weights("pnet")
        self.threshold = threshold

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, None, 3], tf.uint8),
            tf.TensorSpec([2], tf.int32),
        ]
    )
    def __call__(
        self, images: tf.Tensor, size: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Proposals in pictures [B, H, W, 3] that are first resized to `size` (height, width).

        Returns (cells int64 [N, 3]: picture, row, column; offsets float32 [N, 4]: x1, y1, x2, y2 in
        cell widths; scores float32 [N]) of the cells whose score is above the threshold.
        """
        x = _normalize(tf.image.resize(images, size, method="area"))
        x = _convolve(x, *self.layers[0:3])
        x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        x = _convolve(x, *self.layers[3:6])
        x = _convolve(x, *self.layers[6:9])
        scores = tf.nn.softmax(tf.nn.conv2d(x, self.layers[11], 1, "VALID") + self.layers[12])[
            ..., 1
        ]
        cells = tf.where(scores > self.threshold)
        offsets = tf.gather_nd(x, cells) @ self.layers[9][0, 0] + self.layers[10]
        return cells, offsets, tf.gather_nd(scores, cells)


class RefinementNetwork(tf.Module):
    """R-Net: a 24x24 window to the offsets of its box and a score."""

    side = 24

    def __init__(self) -> None:
        super().__init__(name="refinement_network")
        self.layers = load_weights("rnet")
        self.dense = _column_major(self.layers[9], 3)

    @tf.function(input_signature=[tf.TensorSpec([None, 24, 24, 3], tf.float32)])
    def __call__(self, windows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Windows of pixels 0...255 to (offsets [N, 4], scores [N])."""
        x = _convolve(_normalize(windows), *self.layers[0:3])
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        x = _convolve(x, *self.layers[3:6])
        x = tf.nn.max_pool2d(x, 3, 2, "VALID")
        x = _convolve(x, *self.layers[6:9])
        x = tf.reshape(x, [-1, len(self.dense)])
        x = _prelu(x @ self.dense + self.layers[10], self.layers[11])
        offsets = x @ self.layers[12] + self.layers[13]
        return offsets, tf.nn.softmax(x @ self.layers[14] + self.layers[15])[:, 1]


class OutputNetwork(tf.Module):
    """O-Net: a 48x48 window to the offsets of its box, five landmarks and a score."""

    side = 48

    def __init__(self) -> None:
        super().__init__(name="output_network")
        self.layers = load_weights("onet")
        self.dense = _column_major(self.layers[12], 3)

    @tf.function(input_signature=[tf.TensorSpec([None, 48, 48, 3], tf.float32)])
    def __call__(self, windows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Windows of pixels 0...255 to (offsets [N, 4], landmarks [N, 10]: five x, then five y,
        scores [N])."""
        x = _convolve(_normalize(windows), *self.layers[0:3])
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        x = _convolve(x, *self.layers[3:6])
        x = tf.nn.max_pool2d(x, 3, 2, "VALID")
        x = _convolve(x, *self.layers[6:9])
        x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        x = _convolve(x, *self.layers[9:12])
        x = tf.reshape(x, [-1, len(self.dense)])
        x = _prelu(x @ self.dense + self.layers[13], self.layers[14])
        offsets = x @ self.layers[15] + self.layers[16]
        landmarks = x @ self.layers[17] + self.layers[18]
        return offsets, landmarks, tf.nn.softmax(x @ self.layers[19] + self.layers[20])[:, 1]


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None, None, 3], tf.uint8),
        tf.TensorSpec([None, 4], tf.float32),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([], tf.int32),
    ]
)
def cut_windows(
    images: tf.Tensor, boxes: tf.Tensor, owners: tf.Tensor, side: tf.Tensor
) -> tf.Tensor:
    """Cut boxes (x1, y1, x2, y2 in pixels) out of the pictures they belong to, resized bilinearly.

    Returns float32 [N, side, side, 3], 0...255, mid-grey outside the picture. The boxes are divided
    by width and height, not by width - 1 and height - 1 as the operation would have it: the
    networks' usual frame.
    """
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    frame = tf.cast(tf.stack([height, width, height, width]), tf.float32)
    boxes = tf.gather(boxes, [1, 0, 3, 2], axis=1) / frame
    return tf.image.crop_and_resize(images, boxes, owners, [side, side], extrapolation_value=127.5)


def _normalize(pixels: tf.Tensor) -> tf.Tensor:
    return (pixels - 127.5) * (1 / 128)


def _convolve(x: tf.Tensor, kernel: Array, bias: Array, slope: Array) -> tf.Tensor:
    return _prelu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "VALID"), bias), slope)


def _prelu(x: tf.Tensor, slope: Array) -> tf.Tensor:
    if slope.max() <= 1:
        return tf.maximum(x, slope * x)
    return tf.maximum(x, 0.0) + slope * tf.minimum(x, 0.0)


def _column_major(kernel: Array, side: int) -> Array:
    """The weights were trained on features flattened column by column; reorder them for rows."""
    features = kernel.reshape(side, side, -1, kernel.shape[1])
    return features.transpose(1, 0, 2, 3).reshape(kernel.shape)
