"""The networks on their engines against the Keras models of the package `mtcnn`."""

import importlib.util

import numpy as np
import pytest

from facenet_tf.detection import litert_engine, networks
from facenet_tf.detection.engines import make_engine
from facenet_tf.errors import InputError


@pytest.fixture(scope="module", params=["litert", "onnx"])
def engine(request):
    if request.param == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
    return make_engine(request.param)


@pytest.fixture(scope="module")
def package():
    from mtcnn import MTCNN

    return {stage.name[-4:].lower(): stage.model for stage in MTCNN().stages}


CASES = [
    ("pnet", (1, 12, 12, 3)),
    ("pnet", (2, 13, 25, 3)),
    ("pnet", (3, 38, 57, 3)),
    ("rnet", (1, 24, 24, 3)),
    ("rnet", (5, 24, 24, 3)),
    ("onet", (1, 48, 48, 3)),
    ("onet", (3, 48, 48, 3)),
]


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_outputs_are_those_of_the_package(engine, package, name, shape):
    pixels = networks.normalized(np.random.default_rng(0).integers(0, 256, shape))
    *others, scores = (value.numpy() for value in package[name](pixels))
    found = engine.run(name, pixels)
    assert found.dtype == np.float32
    odds = np.exp(found[..., :2] - found[..., :2].max(-1, keepdims=True))
    np.testing.assert_allclose(odds / odds.sum(-1, keepdims=True), scores, atol=1e-5)
    np.testing.assert_allclose(found[..., 2:], np.concatenate(others, -1), atol=1e-5)


def test_engines_describe_themselves(engine):
    about = engine.describe()
    assert set(about) == {"name", "version"} and about["version"][0].isdigit()


def test_few_shapes_are_kept_ready(monkeypatch):
    monkeypatch.setattr(litert_engine, "_READY_PIXELS", 12 * 28)
    engine = litert_engine.LiteRtEngine()
    for side, cells, ready in [
        (12, 1, {12}),
        (14, 2, {12, 14}),
        (12, 1, {12, 14}),
        (16, 3, {12, 16}),
        (14, 2, {14}),
        (40, 15, {40}),
    ]:
        outputs = engine.run("pnet", np.zeros((1, 12, side, 3), np.float32))
        assert outputs.shape == (1, 1, cells, 6)
        assert {shape[3] for shape in engine._ready} == ready


def test_missing_runtime_says_what_to_install(monkeypatch):
    import builtins
    import sys

    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] in ("onnx", "onnxruntime"):
            raise ImportError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "facenet_tf.detection.onnx_engine", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'facenet-tf\[onnx\]'"):
        make_engine("onnx")


def test_missing_weights_say_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install"):
        networks.weights_file("pnet")


def parameters(layer):
    values = (getattr(layer, name, None) for name in ("kernel", "bias", "slope"))
    return sum(value.size for value in values if value is not None)


@pytest.mark.parametrize(("name", "count"), [("pnet", 6_632), ("rnet", 100_178), ("onet", 389_040)])
def test_parameter_counts(name, count):
    assert sum(parameters(layer) for layer in networks.load_network(name).layers) == count
