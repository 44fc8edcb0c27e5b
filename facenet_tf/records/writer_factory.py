"""What every process that builds shards begins with, wherever it runs."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

import facenet_tf
from facenet_tf.detection import Detector, recovery
from facenet_tf.errors import InputError
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.shard import ShardWriter

DetectorFactory = Callable[[BuildConfig], Detector]


@dataclasses.dataclass(frozen=True)
class WriterFactory:
    """Makes the writer of a process; travels to other processes and machines.

    Two factories are equal if they write into the same directory: each build has its own.

    Attributes:
        directory: where shards are written.
        config: a resolved config.
        make_detector: a function of a module, so that it can travel.
        about: what decides the records besides config and pictures, as the build found it.
    """

    directory: Path
    config: BuildConfig = dataclasses.field(compare=False)
    make_detector: DetectorFactory = dataclasses.field(compare=False)
    about: dict[str, Any] = dataclasses.field(compare=False)

    def __call__(self) -> ShardWriter:
        """Return the writer.

        Raises:
            InputError: the detector cannot be had here, or something here would give other records
                than where the build was started.
        """
        detector = self.make_detector(self.config)
        here = describe(self.config, detector)
        differing = [name for name in self.about if self.about[name] != here[name]]
        if differing:
            told = ", ".join(f"{name} {here[name]} (not {self.about[name]})" for name in differing)
            raise InputError(
                f"{platform.node()} would build other records: {told}; install the same there"
            )
        return ShardWriter(self.config, detector, self.directory)


def describe(config: BuildConfig, detector: Detector) -> dict[str, Any]:
    """What decides the records besides config and pictures: detector, recovery, versions."""
    return {
        "detector": detector.describe(),
        "recovery": recovery.describe(detector) if config.recover else None,
        "versions": {
            "facenet_tf": facenet_tf.__version__,
            "numpy": np.__version__,
            "opencv": cv2.__version__,
            "tensorflow": tf.__version__,
        },
    }
