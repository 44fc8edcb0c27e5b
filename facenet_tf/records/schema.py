"""What a record holds: the features of its ``tf.train.Example``."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import message

FEATURES = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/label": tf.io.FixedLenFeature([], tf.int64),
    "image/identity": tf.io.FixedLenFeature([], tf.string),
    "image/path": tf.io.FixedLenFeature([], tf.string),
    "image/sha256": tf.io.FixedLenFeature([], tf.string),
    "image/outcome": tf.io.FixedLenFeature([], tf.string),
    "face/box": tf.io.FixedLenFeature([4], tf.float32),
    "face/confidence": tf.io.FixedLenFeature([1], tf.float32),
    "face/landmarks": tf.io.FixedLenFeature([10], tf.float32),
    "face/transform": tf.io.FixedLenFeature([6], tf.float32),
    "face/rmse": tf.io.FixedLenFeature([1], tf.float32),
}
"""For `tf.io.parse_single_example`; take the entries that are needed."""


@dataclasses.dataclass(frozen=True)
class Record:
    """One crop and where it comes from.

    Attributes:
        encoded: the crop as JPEG or PNG.
        label: the identity's number in the dataset.
        identity: its name.
        path: key of the source picture.
        sha256: of the source picture, in hexadecimal digits.
        outcome: ``"ok"``, ``"recovered"``, ``"repaired"`` or ``"fallback"``.
        box: [4], left, top, width, height of the face in the picture, in pixels.
        confidence: of the detector, 0…1; 0 for a fallback.
        landmarks: [5, 2] in pixels of the picture; NaN for a fallback.
        transform: [2, 3] from picture to crop coordinates.
        rmse: misfit of the landmarks in pixels of a 112×112 crop; NaN for a fallback.
    """

    encoded: bytes
    label: int
    identity: str
    path: str
    sha256: str
    outcome: str
    box: tuple[float, float, float, float]
    confidence: float
    landmarks: np.ndarray
    transform: np.ndarray
    rmse: float


def serialize(record: Record) -> bytes:
    """Return a record as the bytes of a ``tf.train.Example``, the same bytes every time."""
    features = {
        "image/encoded": _bytes(record.encoded),
        "image/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[record.label])),
        "image/identity": _bytes(record.identity.encode()),
        "image/path": _bytes(record.path.encode()),
        "image/sha256": _bytes(record.sha256.encode()),
        "image/outcome": _bytes(record.outcome.encode()),
        "face/box": _floats(record.box),
        "face/confidence": _floats([record.confidence]),
        "face/landmarks": _floats(record.landmarks),
        "face/transform": _floats(record.transform),
        "face/rmse": _floats([record.rmse]),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def parse(payload: bytes) -> Record:
    """Return what `serialize` was given, its floats rounded to float32.

    Raises:
        ValueError: the payload is no such record.
    """
    try:
        features = tf.train.Example.FromString(payload).features.feature
    except message.DecodeError as error:
        raise ValueError("it is no tf.train.Example") from error
    values: dict[str, Any] = {}
    for name in FEATURES:
        kind = features[name].WhichOneof("kind")
        values[name] = list(getattr(features[name], kind).value) if kind else []
    lacking = [name for name in FEATURES if len(values[name]) != math.prod(FEATURES[name].shape)]
    if lacking:
        raise ValueError(f"it lacks {', '.join(lacking)}")
    return Record(
        encoded=values["image/encoded"][0],
        label=values["image/label"][0],
        identity=values["image/identity"][0].decode(),
        path=values["image/path"][0].decode(),
        sha256=values["image/sha256"][0].decode(),
        outcome=values["image/outcome"][0].decode(),
        box=tuple(values["face/box"]),
        confidence=values["face/confidence"][0],
        landmarks=np.array(values["face/landmarks"]).reshape(5, 2),
        transform=np.array(values["face/transform"]).reshape(2, 3),
        rmse=values["face/rmse"][0],
    )


def encoded_crop(payload: bytes) -> bytes:
    """Return the crop of a record, JPEG or PNG, without looking at the rest.

    Raises:
        ValueError: the payload holds none.
    """
    try:
        value = tf.train.Example.FromString(payload).features.feature["image/encoded"]
        return value.bytes_list.value[0]
    except (message.DecodeError, IndexError) as error:
        raise ValueError("it holds no crop") from error


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _floats(values: object) -> tf.train.Feature:
    flat = np.asarray(values, np.float32).reshape(-1)
    return tf.train.Feature(float_list=tf.train.FloatList(value=flat.tolist()))
