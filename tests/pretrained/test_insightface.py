"""InsightFace's networks out of ONNX, against ONNX Runtime's own answer."""

import sys

import numpy as np
import pytest

from facenet_tf import models, pretrained
from facenet_tf.errors import InputError
from facenet_tf.pretrained.sources import read

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from tests.pretrained.onnx_networks import Export, mobile, residual  # noqa: E402

pytestmark = pytest.mark.usefixtures("built_once")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.onnx"


def embeddings(file, pictures, mean, scale):
    """ONNX Runtime's vectors, scaled to length 1."""
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    pixels = ((pictures - mean) / scale).transpose(0, 3, 1, 2).astype(np.float32)
    (rows,) = session.run(None, {session.get_inputs()[0].name: pixels})
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def noise(side):
    return np.random.RandomState(5).randint(0, 256, (2, side, side, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("folded", "scaled", "normalization", "constants"),
    [(True, False, "insightface", (127.5, 127.5)), (False, True, "fixed", (0.0, 1.0))],
    ids=["as PyTorch exports", "as MXNet exports"],
)
def test_residual_network(file, folded, scaled, normalization, constants):
    export = Export(32, folded, scaled)
    export.save(file, residual(export, (2, 2, 2, 2), 24, 32))
    imported = read(file)
    assert imported.model.name == "ir18"
    found = imported.model(noise(32)).numpy()
    np.testing.assert_allclose(found, embeddings(file, noise(32), *constants), atol=1e-4)
    crops = models.preprocessing_of(imported.model)
    assert (crops.size, crops.normalization) == (32, normalization)


@pytest.mark.slow
@pytest.mark.parametrize(("blocks", "name"), [((3, 4, 14, 3), "ir50"), ((3, 13, 30, 3), "ir100")])
def test_deep_residual_networks_at_full_size(file, blocks, name):
    export = Export(112)
    export.save(file, residual(export, blocks, 512, 112))
    model = pretrained.load(file)
    assert model.name == name
    expected = embeddings(file, noise(112), 127.5, 127.5)
    np.testing.assert_allclose(model(noise(112)).numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("folded", [True, False])
def test_mbf(file, folded):
    export = Export(48, folded)
    export.save(file, mobile(export, 32))
    imported = read(file)
    assert imported.model.name == "mbf"
    found = imported.model(noise(48)).numpy()
    np.testing.assert_allclose(found, embeddings(file, noise(48), 127.5, 127.5), atol=1e-4)


@pytest.mark.slow
def test_sizes_that_the_file_leaves_open_are_the_usual_ones(file):
    export = Export(112)
    export.save(file, mobile(export, 16), shape=(None, 3, None, None))
    assert pretrained.load(file).input_shape == (None, 112, 112, 3)


def test_weights_that_nobody_asks_for_are_refused(file):
    export = Export(48)
    export.weight(np.zeros((3, 3)))
    export.save(file, mobile(export, 32))
    with pytest.raises(InputError, match="w0 belong to no layer"):
        pretrained.load(file)


def test_other_networks_are_refused(file):
    export = Export(32)
    export.save(file, residual(export, (1, 2, 2, 2), 8, 32))
    with pytest.raises(InputError, match=r"stages of \[1, 2, 2, 2\] blocks: no network here"):
        pretrained.load(file)
    export = Export(32)
    export.save(file, export.node("Relu", [export.conv(export.start, 3, 64, 3)]))
    with pytest.raises(InputError, match="comes Relu, not PRelu: it is of another network"):
        pretrained.load(file)
    export = Export(32)
    export.start = export.node("Sub", [export.start, export.weight(np.float32(100))])
    export.start = export.node("Mul", [export.start, export.weight(np.float32(0.5))])
    export.save(file, export.prelu(export.conv(export.start, 3, 64, 3), 64))
    with pytest.raises(InputError, match="no normalisation is that"):
        pretrained.load(file)


def test_damaged_files_and_weights_elsewhere_are_refused(file):
    file.write_bytes(b"\x0a\xff not ONNX")
    with pytest.raises(InputError, match=r"model\.onnx: it cannot be read as ONNX"):
        pretrained.load(file)
    export = Export(32)
    export.save(file, export.conv(export.start, 3, 64, 3))
    model = onnx.load(str(file))
    onnx.external_data_helper.convert_model_to_external_data(
        model, location="elsewhere", size_threshold=0
    )
    onnx.save(model, str(file))
    with pytest.raises(InputError, match="it keeps weights in other files"):
        pretrained.load(file)


def test_onnx_is_asked_for_where_it_is_missing(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    file.write_bytes(b"")
    with pytest.raises(InputError, match=r"model\.onnx: onnx reads it .* pip install"):
        pretrained.load(file)
