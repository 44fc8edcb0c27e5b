"""dlib's network with its weights, against what dlib itself computes."""

import importlib.util
import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest

from facenet_tf import models, pretrained
from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.pretrained import dlib_package
from facenet_tf.pretrained.dlib_file import read_network
from facenet_tf.pretrained.dlib_weights import dlib_model, kinds

from .dlib_writer import network
from .test_dlib_file import mutated

RECORDED = Path(__file__).parent.parent / "data" / "dlib_embeddings.json"
INSTALLED = importlib.util.find_spec("face_recognition_models") is not None
needs_weights = pytest.mark.skipif(not INSTALLED, reason="needs the extra `pretrained`")


def pictures(count=6):
    """Squares of random colours, uint8 [count, 150, 150, 3]: the finer, the later."""
    random = np.random.RandomState(7)
    sides = [1, 3, 10, 30, 75, 150]
    coarse = [random.randint(0, 256, (side, side, 3)).astype(np.uint8) for side in sides[:count]]
    return np.stack(
        [np.kron(each, np.ones((150 // len(each),) * 2 + (1,), np.uint8)) for each in coarse]
    )


def raw(model):
    """The model up to dlib's own vectors, which have any length."""
    return keras.Model(model.input, model.get_layer("bottleneck").output)


@pytest.fixture(scope="module")
def model():
    return pretrained.load("dlib")


@needs_weights
def test_equals_what_dlib_computed(model):
    """`python tests/data/record_dlib.py` wrote them, with dlib-bin."""
    recorded = np.array(json.loads(RECORDED.read_text())["embeddings"])
    assert recorded.shape == (6, 128)
    images = pictures().astype(np.float32)
    np.testing.assert_allclose(raw(model)(images), recorded, atol=1e-5)
    lengths = np.linalg.norm(recorded, axis=1, keepdims=True)
    np.testing.assert_allclose(model(images), recorded / lengths, atol=1e-5)


@needs_weights
def test_equals_dlib_on_faces(model):
    dlib = pytest.importorskip("dlib", reason="needs the extra `dlib`")
    chips = np.stack(list(dlib_chips(dlib)))
    file = dlib_package.package_file(dlib_package.WEIGHTS)
    theirs = dlib.face_recognition_model_v1(str(file))
    expected = np.array([theirs.compute_face_descriptor(chip) for chip in chips])
    np.testing.assert_allclose(raw(model)(chips), expected, atol=1e-5)


def dlib_chips(dlib):
    """Chips as dlib cuts them: of a photograph that scikit-image has, and of LFW if it is there."""
    from skimage import data

    images = [data.astronaut()]
    if "FACENET_TF_DATA" in os.environ:
        files = sorted(Path(os.environ["FACENET_TF_DATA"], "lfw", "images").glob("A*/*_0001.jpg"))
        images += [dlib.load_rgb_image(str(file)) for file in files[:30]]
    find = dlib.get_frontal_face_detector()
    locate = dlib.shape_predictor(str(dlib_package.package_file(dlib_package.LANDMARKS)))
    for image in images:
        for box in find(image):
            yield dlib.get_face_chip(image, locate(image, box), size=150, padding=0.25)


@needs_weights
def test_scales_are_near_one_and_each_filter_times_its_scale_is_that_of_the_file(model):
    contents = read_network(dlib_package.package_file(dlib_package.WEIGHTS), kinds())
    theirs = iter([each.parameters for each in contents if each.parameters is not None])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            filters, affine = next(theirs), next(theirs)
            kernel, bias = layer.get_weights()
            scale, offset = model.get_layer(f"{layer.name}_norm").get_weights()
            assert np.all((np.abs(scale) > 2**-0.51) & (np.abs(scale) < 2**0.51))
            count = len(scale)
            np.testing.assert_array_equal(offset, affine[count:])
            np.testing.assert_array_equal(bias * scale, filters[-count:] * affine[:count])
            found = (kernel * scale).transpose(3, 2, 0, 1)
            expected = filters[:-count].reshape(found.shape) * affine[:count, None, None, None]
            np.testing.assert_array_equal(found, expected)


@needs_weights
def test_model_carries_its_crop(model):
    assert model.name == "dlib_resnet"
    assert models.preprocessing_of(model) == Preprocessing("dlib", 150, normalization="dlib")


@needs_weights
def test_saves_and_loads_in_safe_mode(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    images = pictures(2)
    np.testing.assert_array_equal(loaded(images), model(images))


@needs_weights
def test_real_file_with_damage_is_refused_or_has_other_weights(tmp_path):
    data = dlib_package.package_file(dlib_package.WEIGHTS).read_bytes()
    random, path = np.random.default_rng(1), tmp_path / "network.dat"
    sizes = [len(layer.parameters) for layer in network_of(data, path) if is_weighted(layer)]
    for number in range(60):
        # Half of the damage near the beginning, where the versions of all layers are.
        near = 700 if number % 2 else len(data)
        path.write_bytes(mutated(data[:near], random) + data[near:])
        try:
            found = read_network(path, kinds())
        except InputError as error:
            assert str(path) in str(error)
        else:
            assert [len(layer.parameters) for layer in found if is_weighted(layer)] == sizes


@needs_weights
def test_weights_that_make_no_embedding_are_refused(tmp_path):
    """Numbers that are finite, but larger than their sums can be."""
    data, path = dlib_package.package_file(dlib_package.WEIGHTS).read_bytes(), tmp_path / "a.dat"
    first = next(layer for layer in network_of(data, path) if is_weighted(layer)).parameters
    huge = np.copysign(np.float32(1e37), first)
    path.write_bytes(data.replace(first.tobytes(), huge.tobytes()))
    with pytest.raises(InputError, match=r"a\.dat: its weights make no embedding"):
        pretrained.load(path)


def network_of(data, path):
    path.write_bytes(data)
    return read_network(path, kinds())


def is_weighted(layer):
    return layer.parameters is not None


@needs_weights
def test_a_single_changed_bit_of_the_package_is_noticed(tmp_path, monkeypatch):
    data = bytearray(dlib_package.package_file(dlib_package.WEIGHTS).read_bytes())
    data[11_000_000] ^= 1
    fake_package(tmp_path, monkeypatch, data)
    with pytest.raises(InputError, match="is not the published file"):
        pretrained.load("dlib")


def fake_package(directory, monkeypatch, data):
    models_directory = directory / "face_recognition_models" / "models"
    models_directory.mkdir(parents=True)
    (models_directory.parent / "__init__.py").write_text("raise ImportError('it was imported')")
    if data is not None:
        (models_directory / dlib_package.WEIGHTS).write_bytes(data)
    monkeypatch.syspath_prepend(directory)
    importlib.invalidate_caches()


def test_package_is_found_without_being_imported(tmp_path, monkeypatch):
    fake_package(tmp_path, monkeypatch, b"x")
    found = dlib_package.package_file(dlib_package.WEIGHTS)
    assert found.read_bytes() == b"x"
    with pytest.raises(InputError, match="is not the published file"):
        dlib_model()


def test_package_without_the_file(tmp_path, monkeypatch):
    fake_package(tmp_path, monkeypatch, None)
    with pytest.raises(InputError, match="reinstall the package face-recognition-models"):
        dlib_model()


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"facenet-tf\[pretrained\]"):
        dlib_model()


def test_a_small_network_does_not_fit(tmp_path):
    data, _ = network()
    (tmp_path / "small.dat").write_bytes(data)
    with pytest.raises(InputError, match="of another network"):
        dlib_model(tmp_path / "small.dat")


def test_parameters_of_another_size_do_not_fit(tmp_path):
    """All layers are there, with the few numbers of the small network each."""
    data, _ = network(kinds())
    (tmp_path / "thin.dat").write_bytes(data)
    with pytest.raises(InputError, match="stem_conv1 does not fit"):
        dlib_model(tmp_path / "thin.dat")
