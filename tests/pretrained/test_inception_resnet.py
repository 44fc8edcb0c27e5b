"""Inception-ResNet-v1 out of files that others write, against networks written from their names."""

import json
import re
import sys
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import models, pretrained
from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.pretrained import inception_resnet
from facenet_tf.pretrained.sources import read
from facenet_tf.pretrained.tensors import Tensor, Tensors
from tests.models import facenet_pytorch_weights as theirs
from tests.pretrained.slim_network import SlimNetwork

pytestmark = pytest.mark.usefixtures("built_once")

RECORDED = json.loads(Path(__file__, "../../data/inception_resnet_v1.json").resolve().read_text())


@pytest.fixture(scope="module")
def pictures():
    return np.random.RandomState(3).randint(0, 256, (2, 160, 160, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def old(pictures):
    """The network of 2017: 128 dimensions, pictures standardised one by one."""
    network = SlimNetwork(128)
    mean, deviation = (f(pictures, axis=(1, 2, 3), keepdims=True) for f in (np.mean, np.std))
    return network, network.embeddings((pictures - mean) / deviation)


def write_checkpoint(prefix, weights):
    """By the operation that a Saver of TensorFlow 1 writes with."""
    names = list(weights)
    values = [tf.constant(weights[name]) for name in names]
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values
    )


def test_a_checkpoint_of_tensorflow_1(old, pictures, tmp_path):
    network, expected = old
    besides = {
        "Logits/weights": np.zeros((128, 5), np.float32),
        "Logits/biases": np.zeros(5, np.float32),
        "global_step": np.int32(7),
        "InceptionResnetV1/Bottleneck/weights/Adam": np.zeros((1792, 128), np.float32),
    }
    write_checkpoint(tmp_path / "model-20170512-110547.ckpt-250000", {**network.weights, **besides})
    imported = read(tmp_path)
    np.testing.assert_allclose(imported.model(pictures).numpy(), expected, atol=1e-4)
    assert models.preprocessing_of(imported.model) == Preprocessing(
        size=160, normalization="per_image"
    )
    assert set(imported.left_out) == set(besides)
    assert (
        imported.mapped["block17_3_b2"]
        == "InceptionResnetV1/Repeat_1/block17_3/Branch_1/Conv2d_0b_1x7/weights"
    )


def test_what_lacks_a_variable_or_has_one_too_many_is_refused(old, tmp_path):
    weights = dict(old[0].weights)
    write_checkpoint(tmp_path / "odd", {**weights, "InceptionResnetV2/odd": np.zeros(3, "f")})
    with pytest.raises(InputError, match="InceptionResnetV2/odd belong to no layer"):
        pretrained.load(tmp_path)
    missing = "InceptionResnetV1/Block8/Conv2d_1x1/biases"
    del weights[missing]
    write_checkpoint(tmp_path / "short", weights)
    with pytest.raises(InputError, match=f"short: it has no {missing}"):
        pretrained.load(tmp_path / "short.index")
    with pytest.raises(InputError, match="several checkpoints"):
        pretrained.load(tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    write_checkpoint(tmp_path / "model", {"a": np.zeros(3, np.float32)})
    with pytest.raises(InputError, match="it has no InceptionResnetV1/Bottleneck/weights"):
        pretrained.load(tmp_path / "model")
    index = tmp_path / "model.index"
    index.write_bytes(index.read_bytes()[: index.stat().st_size // 2])
    with pytest.raises(InputError, match="cannot be read as a checkpoint"):
        pretrained.load(tmp_path / "model")


def test_a_frozen_graph(old, pictures, tmp_path):
    """Variables are constants with readers of their names; other constants are no weights."""
    network, expected = old
    with tf.Graph().as_default() as graph:
        for name, values in network.weights.items():
            tf.identity(tf.constant(values, name=name), name=f"{name}/read")
        tf.constant([1, 2], name="InceptionResnetV1/Logits/Flatten/shape")
    (tmp_path / "20170512.pb").write_bytes(graph.as_graph_def().SerializeToString())
    model = pretrained.load(tmp_path / "20170512.pb")
    np.testing.assert_allclose(model(pictures).numpy(), expected, atol=1e-4)
    (tmp_path / "damaged.pb").write_bytes(b"no graph")
    with pytest.raises(InputError, match=r"damaged\.pb: it cannot be read as a graph"):
        pretrained.load(tmp_path / "damaged.pb")


def keras_name(name):
    """What the Keras file calls a variable of the checkpoint."""
    name = name.removeprefix("InceptionResnetV1/").replace("Block8/", "Block8_6/")
    name = re.sub(r"Repeat(_\d)?/block", "Block", name)
    layer, _, variable = name.rpartition("/")
    layer = layer.replace("/", "_")
    return layer, {"weights": "kernel", "biases": "bias"}.get(variable, variable)


def scaling(block, scale, before):
    """A Lambda layer as Keras 2 describes it, with bytecode that must not be run."""
    return {
        "class_name": "Lambda",
        "config": {"name": f"lambda_{block}", "function": ["4wIA", None, None], "arguments": scale},
        "inbound_nodes": [[[before, 0, 0, {}]]],
    }


def description():
    scales = [("Block35", 5, 0.17), ("Block17", 10, 0.1), ("Block8", 5, 0.2)]
    blocks = [(f"{kind}_{n + 1}", scale) for kind, count, scale in scales for n in range(count)]
    layers = [
        scaling(name, {"scale": scale}, f"{name}_Conv2d_1x1")
        for name, scale in [*blocks, ("Block8_6", 1.0)]
    ]
    norm = {"class_name": "BatchNormalization", "config": {"name": "a", "epsilon": 0.001}}
    return [*layers, norm]


def write_h5(path, weights, layers=None):
    """A whole model as Keras 2 saves it; without `layers`, weights alone."""
    with h5py.File(path, "w") as file:
        root = file if layers is None else file.create_group("model_weights")
        for name, values in weights.items():
            layer, variable = keras_name(name)
            root[f"{layer}/{layer}/{variable}:0"] = values
        if layers is not None:
            model = {"class_name": "Model", "config": {"name": "x", "layers": layers}}
            file.attrs["model_config"] = json.dumps(model).encode()


def test_an_h5_of_keras_is_read_without_its_lambda_layers(old, pictures, tmp_path):
    network, expected = old
    write_h5(tmp_path / "facenet_keras.h5", network.weights, description())
    imported = read(tmp_path / "facenet_keras.h5")
    np.testing.assert_allclose(imported.model(pictures).numpy(), expected, atol=1e-4)
    assert imported.mapped["block8_6_up"] == "Block8_6_Conv2d_1x1/kernel"


@pytest.mark.slow
def test_weights_alone_with_512_dimensions(pictures, tmp_path):
    network = SlimNetwork(512)
    expected = network.embeddings((pictures - 127.5) / 128)
    write_h5(tmp_path / "weights.h5", network.weights)
    model = pretrained.load(tmp_path / "weights.h5")
    np.testing.assert_allclose(model(pictures).numpy(), expected, atol=1e-4)
    assert models.preprocessing_of(model).normalization == "fixed"


class Scaled:
    """A model whose residuals are all scaled by 0.17."""

    def get_layer(self, name):
        assert name == "block35_1_sum"
        return type("Layer", (), {"scale": 0.17})


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (scaling("a", {"scale": 0.2}, "Block35_1_Conv2d_1x1"), "residual of block35_1 is 0.2"),
        (scaling("a", {"scale": "x"}, "Block35_1_Conv2d_1x1"), "damaged"),
        ({"class_name": "Lambda", "config": {}}, "damaged"),
        (
            {"class_name": "BatchNormalization", "config": {"name": "n", "epsilon": 0.1}},
            "epsilon of n is 0.1",
        ),
    ],
)
def test_a_description_of_another_network_is_refused(layer, message):
    good = scaling("a", {"scale": 0.17}, "Block35_1_Conv2d_1x1")
    inception_resnet.check_description(Path("f.h5"), [good], Scaled())
    with pytest.raises(InputError, match=message):
        inception_resnet.check_description(Path("f.h5"), [layer], Scaled())


def torch_state():
    """facenet-pytorch's names and shapes, with the weights that its recorded embeddings are of."""
    ours = models.build("inception_resnet_v1", preprocessing=Preprocessing(size=160))
    state = {}

    def add(name, shape):
        state[name] = theirs.made_up(name, shape)

    for layer in ours.layers:
        if layer.name == "bottleneck":
            add("last_linear.weight", (512, 1792))
            norm = "last_bn"
        elif layer.name.endswith("_up"):
            name = theirs.their_name(layer.name)
            *places, inputs, outputs = layer.kernel.shape
            add(f"{name}.weight", (outputs, inputs, *places))
            add(f"{name}.bias", (outputs,))
            continue
        elif hasattr(layer, "kernel"):
            name = theirs.their_name(layer.name)
            *places, inputs, outputs = layer.kernel.shape
            add(f"{name}.conv.weight", (outputs, inputs, *places))
            norm = f"{name}.bn"
        else:
            continue
        for part in ("weight", "bias", "running_mean", "running_var"):
            add(f"{norm}.{part}", (layer.kernel.shape[-1],))
    state["logits.weight"] = np.zeros((5, 512), np.float32)
    state["last_bn.num_batches_tracked"] = np.int64(3)
    return state


def test_facenet_pytorch_as_recorded():
    """Numbers that came out of facenet-pytorch 2.6.0 for these weights and pictures."""
    tensors = {
        name: Tensor(np.shape(values), partial(np.asarray, values))
        for name, values in torch_state().items()
    }
    tensors = Tensors(Path("vggface2.pt"), tensors)
    imported = inception_resnet.read(tensors, inception_resnet.TORCH, "a test", "fixed")
    embeddings = imported.model(theirs.pictures()).numpy()
    np.testing.assert_allclose(embeddings[:, :: theirs.EVERY], RECORDED["embeddings"], atol=1e-5)
    assert imported.mapped["mixed_7a_c3"] == "mixed_7a.branch2.2.conv.weight"
    assert set(imported.left_out) == {"logits.weight", "last_bn.num_batches_tracked"}


def test_a_file_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    state = {name: torch.tensor(values) for name, values in torch_state().items()}
    torch.save(state, tmp_path / "vggface2.pt")
    embeddings = pretrained.load(tmp_path / "vggface2.pt")(theirs.pictures()).numpy()
    np.testing.assert_allclose(embeddings[:, :: theirs.EVERY], RECORDED["embeddings"], atol=1e-5)


def test_what_would_run_code_is_refused_by_pytorch(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.save({"a": Path("x")}, tmp_path / "evil.pt")
    with pytest.raises(InputError, match=r"evil\.pt: it cannot be read as a state dict"):
        pretrained.load(tmp_path / "evil.pt")


def test_pytorch_is_asked_for_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "a.pt").write_bytes(b"")
    with pytest.raises(InputError, match=r"a\.pt: PyTorch reads it .* pip install"):
        pretrained.load(tmp_path / "a.pt")
