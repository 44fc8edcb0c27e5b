"""OpenFace's nn4.small2 out of CSV files, against the network as its Lua definition has it."""

import zlib

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import pretrained
from facenet_tf.errors import InputError
from facenet_tf.pretrained.sources import read

# Name, 3×3 (reduced, filters), 5×5, what pools and its projection, 1×1, stride.
BLOCKS = [
    ("3a", (96, 128), (16, 32), ("max", 32), 64, 1),
    ("3b", (96, 128), (32, 64), ("l2", 64), 64, 1),
    ("3c", (128, 256), (32, 64), ("max", None), None, 2),
    ("4a", (96, 192), (32, 64), ("l2", 128), 256, 1),
    ("4e", (160, 256), (64, 128), ("max", None), None, 2),
    ("5a", (96, 384), None, ("l2", 96), 256, 1),
    ("5b", (96, 384), None, ("max", 96), 256, 1),
]


class TorchNetwork:
    """The network in inference; `files` fills with made-up tensors in Torch's order."""

    def __init__(self):
        self.files = {}

    def embeddings(self, pictures):
        x = tf.constant(pictures / 255, tf.float32)
        x = self._conv(x, 64, 7, "conv1", "bn1", stride=2)
        x = lrn(self._max(pad(x, 1)))
        x = self._conv(x, 64, 1, "conv2", "bn2")
        x = self._conv(x, 192, 3, "conv3", "bn3")
        x = self._max(pad(lrn(x), 1))
        for block in BLOCKS:
            x = self._inception(x, *block)
        x = tf.reshape(tf.nn.avg_pool2d(x, 3, 3, "VALID"), [len(pictures), 736])
        x = x @ self._made_up("dense_w", (128, 736)).T + self._made_up("dense_b", (128,))
        return tf.math.l2_normalize(x, axis=1).numpy()

    def _inception(self, x, name, three, five, pooled, one, stride):
        name, branches = f"inception_{name}", []
        for size, filters in ((3, three), (5, five)):
            if filters:
                at = f"{name}_{size}x{size}"
                y = self._conv(x, filters[0], 1, f"{at}_conv1", f"{at}_bn1")
                branches.append(self._conv(y, filters[1], size, f"{at}_conv2", f"{at}_bn2", stride))
        kind, projection = pooled
        y = self._max(x) if kind == "max" else sum_pool(x)
        if projection:
            y = self._conv(y, projection, 1, f"{name}_pool_conv", f"{name}_pool_bn")
        branches.append(y)
        if one:
            branches.append(self._conv(x, one, 1, f"{name}_1x1_conv", f"{name}_1x1_bn"))
        return depth_concat(branches)

    def _max(self, x):
        return tf.nn.max_pool2d(x, 3, 2, "VALID")

    def _conv(self, x, filters, size, name, norm, stride=1):
        kernel = self._made_up(f"{name}_w", (filters, x.shape[3], size, size))
        x = tf.nn.conv2d(
            pad(x, size // 2), np.transpose(kernel, (2, 3, 1, 0)), stride, "VALID"
        ) + self._made_up(f"{name}_b", (filters,))
        gamma, beta, mean, variance = (
            self._made_up(f"{norm}_{part}", (filters,)) for part in "wbmv"
        )
        return tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5))

    def _made_up(self, name, shape):
        random = np.random.RandomState(zlib.crc32(name.encode()))
        if name.endswith("_v") or ("bn" in name and name.endswith("_w")):
            values = 0.5 + random.rand(*shape)
        elif len(shape) == 1:
            values = 0.1 * random.randn(*shape)
        else:
            values = random.randn(*shape) * np.sqrt(2 / np.prod(shape[1:]))
        self.files[name] = values.astype(np.float32)
        return self.files[name]


def pad(x, width):
    return tf.pad(x, [[0, 0], [width, width], [width, width], [0, 0]])


def lrn(x):
    """SpatialCrossMapLRN(5, 0.0001, 0.75): the sum of five channels' squares, a fifth of alpha."""
    squares = np.pad(np.square(x.numpy()), [(0, 0)] * 3 + [(2, 2)])
    sums = sum(squares[..., offset : offset + x.shape[3]] for offset in range(5))
    return x / (1 + 1e-4 / 5 * sums) ** 0.75


def sum_pool(x):
    """SpatialLPPooling(…, 2, 3, 3): the root of a sum, in steps as wide as the window."""
    return tf.sqrt(9 * tf.nn.avg_pool2d(tf.square(x), 3, 3, "VALID"))


def depth_concat(branches):
    """Channels one after the other; smaller maps in the middle of zeros."""
    side = max(branch.shape[1] for branch in branches)

    def centred(x):
        lack = side - x.shape[1]
        before = [lack // 2, lack - lack // 2]
        return tf.pad(x, [[0, 0], before, before, [0, 0]])

    return tf.concat([centred(branch) for branch in branches], 3)


def write_folder(directory, files):
    """Kernels a line per output, vectors in one column, as the folder in use has them."""
    directory.mkdir()
    for name, values in files.items():
        rows = values.reshape(len(values), -1).astype(str)  # as many digits as float32 needs
        text = "\n".join(map(",".join, rows.tolist()))
        (directory / f"{name}.csv").write_text(text + "\n")


@pytest.fixture(scope="module")
def network():
    network = TorchNetwork()
    pictures = np.random.RandomState(3).randint(0, 256, (2, 96, 96, 3)).astype(np.float32)
    return network, pictures, network.embeddings(pictures)


def test_the_folder_of_csv_files(network, tmp_path):
    theirs, pictures, expected = network
    write_folder(tmp_path / "weights", theirs.files)
    imported = read(tmp_path / "weights")
    np.testing.assert_allclose(imported.model(pictures).numpy(), expected, atol=1e-4)
    assert imported.mapped["inception_4a_projection"] == "inception_4a_pool_conv_w"
    kernel = tmp_path / "weights" / "inception_3b_5x5_conv2_w.csv"
    kernel.write_text(kernel.read_text().replace(",", ",x", 1))
    with pytest.raises(InputError, match=r"5x5_conv2_w\.csv: it is no table of numbers"):
        pretrained.load(tmp_path / "weights")


def test_a_folder_that_lacks_a_file_or_has_another_network_is_refused(tmp_path):
    write_folder(tmp_path / "weights", {"conv1_w": np.zeros((64, 147), np.float32)})
    with pytest.raises(InputError, match="it has no conv1_b"):
        pretrained.load(tmp_path / "weights")
    write_folder(tmp_path / "other", {"conv1_w": np.zeros((64, 27), np.float32)})
    with pytest.raises(InputError, match=r"conv1_w is \[1728\], not \[9408\]"):
        pretrained.load(tmp_path / "other")
