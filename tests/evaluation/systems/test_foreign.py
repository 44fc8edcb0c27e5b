"""SavedModel, LiteRT and ONNX against the Keras network that they were made of."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.evaluation.inputs import Foreign
from facenet_tf.evaluation.systems.foreign import open_foreign
from facenet_tf.preprocessing import Preprocessing

SIDE = 16
CROPS = Preprocessing(size=SIDE)
INSIDE = Foreign("inside", "five_points")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def kernel() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def expected(images, kernel) -> np.ndarray:
    return images.astype(float).mean(axis=(1, 2)) @ kernel


class Means(tf.Module):
    """The mean colour times a kernel: what all the files here compute."""

    def __init__(self, kernel, batch=None):
        self.kernel = tf.Variable(kernel)
        spec = tf.TensorSpec([batch, SIDE, SIDE, 3], tf.float32, name="pixels")
        self.serve = tf.function(self.compute, input_signature=[spec])

    def compute(self, pixels):
        return {"embedding": tf.reduce_mean(pixels, axis=[1, 2]) @ self.kernel}


@pytest.fixture(scope="module")
def saved_model(kernel, tmp_path_factory):
    path, module = tmp_path_factory.mktemp("saved") / "means", Means(kernel)
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    return path


@pytest.fixture(scope="module")
def litert(kernel, tmp_path_factory):
    module = Means(kernel, batch=1)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.serve.get_concrete_function()], module
    )
    path = tmp_path_factory.mktemp("litert") / "means.tflite"
    path.write_bytes(converter.convert())
    return path


def onnx_file(path, kernel, *, shape=("batch", 3, SIDE, SIDE), outputs=("embedding",)):
    """Channels first, as PyTorch exports them; each output is the same."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("GlobalAveragePool", ["pixels"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        *(helper.make_node("Gemm", ["flat", "kernel"], [name]) for name in outputs),
    ]
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    entry = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        nodes, "means", [entry], told, [numpy_helper.from_array(kernel, "kernel")]
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def vectors(path, kind, images, options=INSIDE, crops=CROPS):
    return open_foreign(path, kind, options, crops)[0](images)


def test_saved_model_computes_what_it_says(saved_model, images, expected):
    np.testing.assert_allclose(vectors(saved_model, "saved_model", images), expected, rtol=1e-4)
    assert open_foreign(saved_model, "saved_model", INSIDE, CROPS)[1].startswith("TensorFlow")


def test_exported_keras_model_is_one(images, tmp_path):
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Flatten()])
    export = getattr(model, "export", None)
    (export or (lambda path: tf.saved_model.save(model, path)))(str(tmp_path / "exported"))
    found = vectors(tmp_path / "exported", "saved_model", images)
    np.testing.assert_array_equal(found, images.reshape(3, -1))


def test_litert_is_run_crop_by_crop(litert, images, expected):
    np.testing.assert_allclose(vectors(litert, "litert", images), expected, rtol=1e-4)


def test_quantized_litert_takes_and_gives_whole_numbers(kernel, images, expected, tmp_path):
    module = Means(kernel, batch=1)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.serve.get_concrete_function()], module
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: [[each[None].astype(np.float32)] for each in images]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (tmp_path / "whole.tflite").write_bytes(converter.convert())
    found = vectors(tmp_path / "whole.tflite", "litert", images)
    np.testing.assert_allclose(found, expected, atol=0.03 * np.abs(expected).max())


def test_onnx_has_its_colours_first(kernel, images, expected, tmp_path):
    file = onnx_file(tmp_path / "m.onnx", kernel)
    np.testing.assert_allclose(vectors(file, "onnx", images), expected, rtol=1e-4)
    single = onnx_file(tmp_path / "single.onnx", kernel, shape=(1, 3, SIDE, SIDE))
    np.testing.assert_allclose(vectors(single, "onnx", images), expected, rtol=1e-4)


def test_pixels_are_normalized_and_colours_turned_as_told(saved_model, images, kernel):
    options = Foreign("dlib", "five_points", channels="bgr")
    means = images.astype(float).mean(axis=(1, 2))
    inputs = ((means - [122.782, 117.001, 104.298]) / 256)[:, ::-1]
    found = vectors(saved_model, "saved_model", images, options)
    np.testing.assert_allclose(found, inputs @ kernel, atol=1e-4)


def test_one_of_several_outputs_is_to_be_named(kernel, images, expected, tmp_path):
    file = onnx_file(tmp_path / "m.onnx", kernel, outputs=("logits", "embedding"))
    with pytest.raises(InputError, match=r"--foreign\.output, one of logits, embedding"):
        vectors(file, "onnx", images)
    found = vectors(file, "onnx", images, Foreign("inside", "five_points", output="embedding"))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("crops", "named"),
    [
        (Preprocessing(size=32), "takes crops of 16×16×3, the dataset's are 32×32×3"),
        (Preprocessing(size=SIDE, color="grey"), "16×16×1"),
        (Preprocessing("eyes", SIDE), r"--foreign\.alignment five_points: .* by eyes"),
    ],
)
def test_other_crops_are_refused(saved_model, images, crops, named):
    with pytest.raises(InputError, match=named):
        vectors(saved_model, "saved_model", images, crops=crops)


def test_input_that_is_no_picture_is_refused(kernel, images, tmp_path):
    file = onnx_file(tmp_path / "m.onnx", kernel, shape=("batch", 3, SIDE))
    with pytest.raises(InputError, match=r"its input \?×3×16 is no batch of pictures"):
        vectors(file, "onnx", images)


def test_output_that_is_no_vector_is_refused(images, tmp_path):
    module = tf.Module()
    spec = tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32)
    serve = tf.function(lambda pixels: {"maps": pixels}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "maps"), signatures=serve)
    with pytest.raises(InputError, match=r"of 3 crops it makes \[3, 16, 16, 3\], not a vector"):
        vectors(tmp_path / "maps", "saved_model", images)


@pytest.mark.parametrize(("kind", "name"), [("litert", "m.tflite"), ("onnx", "m.onnx")])
def test_damaged_files_are_named(kind, name, images, tmp_path):
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
    (tmp_path / name).write_bytes(b"no such thing")
    with pytest.raises(InputError, match=rf"{name}: it cannot be opened"):
        vectors(tmp_path / name, kind, images)


def test_damaged_saved_model_is_named(images, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no such thing")
    with pytest.raises(InputError, match="cannot be opened"):
        vectors(tmp_path, "saved_model", images)


def test_missing_onnxruntime_says_how_to_get_it(images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"facenet-tf\[onnx\]"):
        vectors(tmp_path / "m.onnx", "onnx", images)
