"""A small dataset directory, written with TensorFlow's own writer, and a plain reader for it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.preprocessing import Preprocessing

from .augmented import COUNT, SIDE

SHARDS = 2


@dataclass(frozen=True)
class PlainDataset:
    """The documented files of a dataset directory, read the slow and obvious way."""

    directory: Path
    preprocessing: Preprocessing
    index: np.ndarray  # int64 [N, 6]: shard, offset, length, label, source, image row

    @property
    def labels(self) -> np.ndarray:
        return self.index[:, 3]

    @property
    def sources(self) -> np.ndarray:
        return self.index[:, 4]

    def read(self, records: np.ndarray) -> list[bytes]:
        payloads = []
        for shard, offset, length in self.index[records, :3]:
            with shard_path(self.directory, shard).open("rb") as file:
                file.seek(offset)
                assert struct.unpack("<Q", file.read(12)[:8]) == (length,)
                payloads.append(file.read(length))
        return payloads

    def pixels(self, record: int) -> np.ndarray:
        """The crop uint8 [H, W, C] as OpenCV decodes it."""
        example = tf.train.Example.FromString(self.read(np.array([record]))[0])
        return decode_with_opencv(example.features.feature["image/encoded"].bytes_list.value[0])


def shard_path(directory: Path, shard: int) -> Path:
    return directory / f"shard-{shard:05d}-of-{SHARDS:05d}.tfrecord"


def decode_with_opencv(encoded: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    return image[:, :, None] if image.ndim == 2 else image[:, :, ::-1]


def random_crop(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """A smooth random picture uint8 of a shape [H, W, C], so that JPEG has something to do."""
    height, width, channels = shape
    coarse = rng.integers(0, 256, (6, 6, channels), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(shape)


def write(
    directory: Path,
    labels: list[int],
    color: str = "rgb",
    encoding: str = ".jpg",
    size: int = 32,
    width: int | None = None,
) -> PlainDataset:
    """One random crop per label, spread over the shards; every source is a picture of its own."""
    preprocessing = Preprocessing(size=size, color=color, width=width)
    rng = np.random.default_rng(3)
    directory.mkdir(exist_ok=True)
    rows: list[list[int]] = []
    for shard in range(SHARDS):
        offset = 0
        with tf.io.TFRecordWriter(str(shard_path(directory, shard))) as writer:
            for source in range(shard, len(labels), SHARDS):
                pixels = random_crop(rng, preprocessing.shape)
                encoded = cv2.imencode(encoding, pixels)[1].tobytes()
                feature = {
                    "image/encoded": tf.train.Feature(
                        bytes_list=tf.train.BytesList(value=[encoded])
                    ),
                    "image/label": tf.train.Feature(
                        int64_list=tf.train.Int64List(value=[labels[source]])
                    ),
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                payload = example.SerializeToString()
                writer.write(payload)
                rows.append([shard, offset, len(payload), labels[source], source, source])
                offset += 12 + len(payload) + 4
    return PlainDataset(directory, preprocessing, np.array(rows, np.int64))


@pytest.fixture(scope="session")
def write_dataset() -> Callable[..., PlainDataset]:
    return write


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> PlainDataset:
    """Twelve identities with labels 0, 5, 10, …; 3 to 9 JPEG crops each, 32×32 RGB."""
    labels = [5 * identity for identity in range(12) for _ in range(3 + identity % 7)]
    return write(tmp_path_factory.mktemp("dataset"), labels)


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """Random pixels uint8 [COUNT, SIDE, SIDE, 3] well inside the range, so that nothing clips."""
    return np.random.default_rng(0).integers(90, 166, (COUNT, SIDE, SIDE, 3), np.uint8)
