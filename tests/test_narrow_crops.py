"""Crops that are not square, through every room: builder, trainer, evaluation, curation."""

import keras
import pytest

from facenet_tf import models
from facenet_tf.curation.config import OverlapConfig
from facenet_tf.curation.overlap import find_overlap
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.input_pipeline.pipeline import evaluation_arrays
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.schema import parse
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.fit import train
from tests.conftest import SIDE, evaluate_without_plots, whole_picture_detector

CROPS = Preprocessing(size=SIDE, width=SIDE - 8)


@pytest.fixture(scope="module")
def narrow(world, pictures, tmp_path_factory):
    config = BuildConfig(
        directory=pictures,
        output=tmp_path_factory.mktemp("narrow") / "data",
        recover=False,
        fallback=True,
        test_people=world.test_people,
        validation_people=world.validation_people,
        preprocessing=CROPS,
        workers=1,
        shards=2,
    )
    return build_dataset(config, whole_picture_detector)


@pytest.fixture(scope="module")
def trained(narrow, tmp_path_factory):
    batch = {"identities_per_batch": 2, "images_per_identity": 3}
    config = TrainConfig(
        dataset=narrow.directory,
        output=tmp_path_factory.mktemp("runs") / "run",
        width=4,
        embedding_size=8,
        steps_per_epoch=2,
        jit="off",  # quicker to begin
        warm_up=Stage("cosface", epochs=1, **batch),
        main=Stage("triplet/batch_hard", epochs=0, **batch),
    )
    return train(config).run.path


def test_dataset(narrow, world):
    assert narrow.preprocessing == CROPS
    assert FaceDataset.open(narrow.directory).preprocessing == CROPS
    for images in evaluation_arrays(narrow, [0, len(narrow) - 1], 2):
        assert images.shape == (2, SIDE, SIDE - 8, 3)
    (lost,) = (n for n, key in enumerate(narrow.keys()) if key == world.lost)
    record = parse(narrow.read([lost])[0])
    assert record.outcome == "fallback"
    assert tuple(record.box) == (8, 0, 48, 64)  # of 64×64, as high as can be
    assert f"{SIDE - 8} × {SIDE} pixels" in (narrow.directory / "report.html").read_text()


def test_train_and_evaluate(narrow, trained, tmp_path):
    model = keras.saving.load_model(trained / "model.keras")
    assert model.input_shape == (None, SIDE, SIDE - 8, 3)
    assert models.preprocessing_of(model) == CROPS
    config = EvaluateConfig(
        trained, narrow.directory, output=tmp_path, repeats=2, bootstrap=0, flip_average=True
    )
    figures = evaluate_without_plots(config)
    assert 0 <= figures["svm"]["accuracy"] <= 1
    assert figures["dataset"]["preprocessing"]["width"] == SIDE - 8


def test_square_crops_are_refused_by_name(narrow, trained, dataset, tmp_path):
    with pytest.raises(InputError, match=f"width: {SIDE - 8} and None"):
        evaluate_without_plots(EvaluateConfig(trained, dataset.directory, output=tmp_path))


def test_hashes_of_crops_of_other_proportions_are_not_compared(narrow, dataset):
    assert "near_duplicates" not in find_overlap(narrow, dataset, OverlapConfig())["images"]
    assert "near_duplicates" in find_overlap(narrow, narrow, OverlapConfig())["images"]
