"""The build command, with a note of every picture that its detector is shown.

python benchmarks/counted_build.py NOTES [OPTIONS OF data_prep/build_tfrecords.py]
"""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facenet_tf import cli
from facenet_tf.commands import build_tfrecords
from facenet_tf.detection import Detector, Face
from facenet_tf.records import builder
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.detectors import detector_of


class CountingDetector:
    """The detector of a config; a line for each of its calls says how many pictures it saw."""

    def __init__(self, notes: Path, config: BuildConfig) -> None:
        self._detector: Detector = detector_of(config)
        self._notes = notes
        self.name = self._detector.name

    def describe(self) -> dict[str, Any]:
        return self._detector.describe()

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        with self._notes.open("a") as file:
            file.write(f"{len(images)}\n")
        return self._detector.detect(images)

    def relaxed(self) -> Detector:
        """The relaxed one, into the same notes."""
        other = copy.copy(self)
        other._detector = self._detector.relaxed()
        return other


def pictures_shown(notes: Path) -> int:
    return sum(map(int, notes.read_text().split())) if notes.exists() else 0


if __name__ == "__main__":
    make_detector = functools.partial(CountingDetector, Path(sys.argv.pop(1)))
    builder.build_dataset = functools.partial(builder.build_dataset, make_detector=make_detector)
    cli.run(build_tfrecords.main)
