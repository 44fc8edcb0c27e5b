"""A small world: pictures of made-up people, a dataset directory of them, an untrained run."""

import collections
import dataclasses
import json
import os
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.detection import Face
from facenet_tf.evaluation import run as evaluation_run
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.run import evaluate_run
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.provenance import git_revision, versions
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.dataset import FaceDataset

from .losses.table import show_contract

SIDE = 32


def pytest_addoption(parser):
    parser.addoption("--record", type=Path, help="JSON to which is added what was run and came out")


def pytest_terminal_summary(terminalreporter, config):
    """The contract of the losses; and, as JSON, what came out of each file, for `docs/results`."""
    show_contract(terminalreporter)
    file = config.getoption("--record")
    if file is not None:
        add_to_record(file, terminalreporter.stats, config.getoption("-m"))


def add_to_record(file, stats, marker):
    """Files that were not run now keep what came out before, by the commit of that time."""
    circumstances = {
        "marker": marker,
        "commit": git_revision(),
        "photographs": "FACENET_TF_DATA" in os.environ,
    }
    files = json.loads(file.read_text())["files"] if file.exists() else {}
    counts = collections.defaultdict(collections.Counter)
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in stats.get(outcome, []):
            counts[report.nodeid.partition("::")[0]][outcome] += 1
    files |= {name: circumstances | dict(outcomes) for name, outcomes in counts.items()}
    record = {"versions": versions(), "files": dict(sorted(files.items()))}
    file.write_text(json.dumps(record, indent=1) + "\n")


@dataclasses.dataclass(frozen=True)
class World:
    people: int = 9
    pictures: int = 8
    test_people: int = 4
    validation_people: int = 2
    lost: str = "P8/P8_0003.jpg"
    original: str = "P8/P8_0004.jpg"
    duplicate: str = "P8/P8_0005.jpg"


@pytest.fixture(scope="session")
def world() -> World:
    return World()


class WholePictureDetector:
    """Finds an upright face that fills the picture, except in black pictures."""

    name = "whole picture"

    def describe(self) -> dict:
        return {"name": self.name}

    def relaxed(self) -> "WholePictureDetector":
        return self

    def detect(self, images):
        return [[_whole(image)] if image.mean() > 1 else [] for image in images]


def _whole(image: np.ndarray) -> Face:
    height, width = image.shape[:2]
    landmarks = Preprocessing(size=112).template() * (np.array([width, height]) / 112)
    return Face((0.0, 0.0, float(width), float(height)), 0.9, landmarks)


def whole_picture_detector(config: BuildConfig) -> WholePictureDetector:
    return WholePictureDetector()


@pytest.fixture(scope="session")
def pictures(world, tmp_path_factory) -> Path:
    """P0…P8 with eight pictures each in LFW's naming; one is black, one a copy."""
    root = tmp_path_factory.mktemp("pictures")
    for person in range(world.people):
        random = np.random.default_rng([5, person])
        coarse = random.integers(40, 215, (4, 4, 3)).astype(np.uint8)
        face = cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC).astype(float)
        (root / f"P{person}").mkdir()
        for number in range(1, world.pictures + 1):
            noisy = np.clip(face + random.normal(0, 25, face.shape), 0, 255).astype(np.uint8)
            cv2.imwrite(str(root / f"P{person}/P{person}_{number:04d}.jpg"), noisy)
    cv2.imwrite(str(root / world.lost), np.zeros((64, 64, 3), np.uint8))
    (root / world.duplicate).write_bytes((root / world.original).read_bytes())
    return root


@pytest.fixture(scope="session")
def dataset(world, pictures, tmp_path_factory) -> FaceDataset:
    config = BuildConfig(
        directory=pictures,
        output=tmp_path_factory.mktemp("dataset") / "small",
        name="small",
        recover=False,
        test_people=world.test_people,
        validation_people=world.validation_people,
        preprocessing=Preprocessing(size=SIDE),
        workers=1,
        shards=2,
    )
    return build_dataset(config, whole_picture_detector)


@pytest.fixture(scope="session")
def small_model() -> keras.Model:
    """A linear network with the first and last layers of every architecture here."""
    preprocessing = Preprocessing(size=SIDE)
    keras.utils.set_random_seed(1)
    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = models.PixelNormalization(preprocessing.to_dict(), name="normalization")(pixels)
    x = keras.layers.AveragePooling2D(8)(x)
    x = keras.layers.Dense(16, name="bottleneck")(keras.layers.Flatten()(x))
    return keras.Model(pixels, models.UnitLength(name="embedding")(x), name="linear")


@pytest.fixture(scope="session")
def run(small_model, dataset, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    small_model.save(directory / "model.keras")
    record = {"config": {"seed": 3}, "fingerprint": dataset.fingerprint, "git_revision": "abc"}
    (directory / "config.json").write_text(json.dumps(record))
    return directory


@pytest.fixture(scope="session")
def evaluated(run, dataset, tmp_path_factory):
    output = tmp_path_factory.mktemp("evaluation")
    config = EvaluateConfig(
        run, dataset.directory, output=output, repeats=5, bootstrap=20, fars=(0.1, 1e-3)
    )
    return output, evaluate_run(config)


def evaluate_without_plots(config: EvaluateConfig) -> dict:
    """`evaluate_run` where the figures are what matters: drawing plots takes half of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation_run, "illustrated", lambda results, directory: {})
        return evaluate_run(config)
