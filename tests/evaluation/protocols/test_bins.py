import dataclasses
import json
import pickle
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.bins import BinsOptions
from facenet_tf.evaluation.protocols.bins import figures, tables
from facenet_tf.evaluation.ready_crops import check_takes_crops, ready_crop
from facenet_tf.preprocessing import Preprocessing

from ..made_up import measured_of, people_vectors

CROPS = Preprocessing(size=112)


def embed(crops):
    """Mean colours of a grid of cells: alike for like pictures."""
    cells = crops.reshape(len(crops), 4, 28, 4, -1, crops.shape[3]).mean(axis=(2, 4))
    rows = cells.reshape(len(crops), -1) - 127.5
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def encoded(pixels):
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


@pytest.fixture(scope="module")
def pictures():
    """Crops of ten pairs of each kind; the pictures of a genuine pair differ in noise."""
    random = np.random.default_rng(3)
    made, genuine = [], []
    for number in range(20):
        one, other = random.integers(0, 256, (2, 4, 4, 3))
        for cells in (one, one if number % 2 else other):
            noisy = np.kron(cells, np.ones((28, 28, 1))) + random.normal(0, 90, (112, 112, 3))
            made.append(np.clip(noisy, 0, 255).astype(np.uint8))
        genuine.append(bool(number % 2))
    return np.array(made), genuine


@pytest.fixture
def file(pictures, tmp_path):
    path = tmp_path / "made_up.bin"
    crops, genuine = pictures
    path.write_bytes(pickle.dumps((list(map(encoded, crops)), genuine), 2))
    return path


def found_of(file, preprocessing=CROPS, **options):
    vectors = dataclasses.replace(people_vectors(), embed_crops=embed)
    measured = measured_of(vectors, dataset=SimpleNamespace(preprocessing=preprocessing))
    config = EvaluateConfig(bins=BinsOptions((file,)), fars=(0.5, 1e-3), batch_size=7, **options)
    return figures(vectors, measured, config)


def test_crops_are_embedded_as_they_are(file, pictures):
    crops, genuine = pictures
    vectors = embed(crops)
    distance = metrics.squared_distances(vectors[::2], vectors[1::2])
    found = found_of(file)["made_up"]
    curve = metrics.roc_curve(genuine, distance)
    assert found["auc"] == pytest.approx(metrics.area_under_curve(curve))
    folds = metrics.contiguous_folds(genuine, 10)
    expected = metrics.folded_accuracy(genuine, distance, folds)
    assert found["accuracy_per_fold"] == pytest.approx(expected.per_fold.tolist())
    assert found["grid"]["auc"] == pytest.approx(found["auc"])
    assert found["bootstrap"] == {"skipped": "the file does not say who is shown"}
    json.dumps(found, allow_nan=False)


def test_tables(file):
    shown = tables({"bins": found_of(file)})
    assert shown[0].rows[0][0] == "made_up"
    assert "no intervals over people" in shown[0].note


def test_degraded_crops_are_another_measurement(file):
    assert (
        found_of(file, degrade=("noise:80",))["made_up"]["d_prime"]
        != found_of(file)["made_up"]["d_prime"]
    )


def test_embeddings_alone_cannot_be_given_crops(file):
    vectors = people_vectors()
    config = EvaluateConfig(bins=BinsOptions((file,)))
    assert "crops need a network" in figures(vectors, measured_of(vectors), config)["skipped"]
    assert figures(vectors, measured_of(vectors), EvaluateConfig()) is None


@pytest.mark.parametrize(
    "preprocessing",
    [
        Preprocessing(size=160),
        Preprocessing(size=112, alignment="eyes"),
        Preprocessing(size=150, alignment="dlib"),
        Preprocessing(size=112, width=120),
    ],
    ids=lambda each: f"{each.alignment} {each.shape}",
)
def test_a_network_of_other_crops_is_refused(preprocessing, file):
    with pytest.raises(InputError, match="112 by 112, aligned by five_points, and this network"):
        check_takes_crops(preprocessing)


def test_narrow_and_grey_crops_are_cut_from_them(pictures):
    pixels = pictures[0][0]
    check_takes_crops(Preprocessing(size=112, width=96))
    narrow = ready_crop(encoded(pixels), (112, 96, 3), "it")
    np.testing.assert_array_equal(narrow, pixels[:, 8:104])
    grey = ready_crop(encoded(pixels), (112, 112, 1), "it")
    expected = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    assert np.abs(grey[..., 0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"no picture", "it: "), (encoded(np.zeros((50, 112, 3), np.uint8)), "50 by 112")],
)
def test_what_is_no_such_crop_is_refused(data, said):
    with pytest.raises(InputError, match=said):
        ready_crop(data, CROPS.shape, "it")


def test_pairs_of_one_kind_are_refused(file, pictures):
    crops = list(map(encoded, pictures[0][:4]))
    file.write_bytes(pickle.dumps((crops, [True, True]), 4))
    with pytest.raises(InputError, match="one kind"):
        found_of(file)


def test_too_few_pairs_for_folds_have_no_accuracy(file, pictures):
    crops = list(map(encoded, pictures[0][:4]))
    file.write_bytes(pickle.dumps((crops, pictures[1][:2]), 4))
    found = found_of(file)["made_up"]
    assert found["accuracy_mean"] is None
    assert "10 folds" in found["accuracy_protocol"]


def test_files_of_one_name_are_refused(file, tmp_path):
    with pytest.raises(InputError, match="two are called made_up"):
        BinsOptions((file, tmp_path / "other" / "made_up.bin")).check()
