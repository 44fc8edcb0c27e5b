"""Datasets of made-up people whose pictures repeat each other."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from tests.conftest import SIDE, whole_picture_detector


def cloud(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(30, 220, (8, 8, 3)).astype(np.uint8)
    return cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC)


def write(path: Path, image: np.ndarray, quality: int = 95) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def build(root: Path, output: Path, **options):
    config = BuildConfig(
        root,
        output=output,
        recover=False,
        workers=1,
        preprocessing=Preprocessing(size=SIDE),
        **options,
    )
    return build_dataset(config, whole_picture_detector)


@pytest.fixture(scope="session")
def repeating(tmp_path_factory):
    """Three people with four pictures each; see the comments for what repeats what."""
    root = tmp_path_factory.mktemp("repeating")
    for person, name in enumerate(("ann", "bob", "cy")):
        for number in range(4):
            write(root / name / f"{number}.jpg", cloud(10 * person + number))
    write(root / "ann" / "4 again.jpg", cloud(1), quality=60)  # of ann/1
    write(root / "bob" / "4 of ann.jpg", cloud(2), quality=70)  # of ann/2
    same = (root / "ann" / "3.jpg").read_bytes()
    (root / "ann" / "5 same.jpg").write_bytes(same)
    (root / "cy" / "5 of ann.jpg").write_bytes(same)
    return build(root, tmp_path_factory.mktemp("built") / "repeating")


@pytest.fixture(scope="session")
def other(repeating, tmp_path_factory):
    """Shares a name, a file and a near duplicate with `repeating`."""
    root = tmp_path_factory.mktemp("other")
    for person, name in enumerate(("Bob", "dan", "eve")):
        for number in range(3):
            write(root / name / f"{number}.jpg", cloud(100 + 10 * person + number))
    write(root / "dan" / "near.jpg", cloud(21), quality=60)  # of cy/1
    write(root / "eve" / "same.jpg", cloud(12))  # of bob/2
    return build(root, tmp_path_factory.mktemp("built") / "other")
