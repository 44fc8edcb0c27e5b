"""facenet-pytorch's Inception-ResNet-v1 with made-up weights, and where they belong in ours.

The weights follow from their names, so that none need be kept: the ordinary suite compares ours
with a few numbers that came out of theirs, and where facenet-pytorch is installed theirs is run.
The numbers are recorded in an environment that has it (and need not have TensorFlow) by

    python tests/models/facenet_pytorch_weights.py > tests/data/inception_resnet_v1.json
"""

import importlib.util
import json
import re
import sys
import types
import zlib

import numpy as np

EVERY = 32
"""One in so many dimensions is recorded."""
_BRANCH = {"a": 0, "b": 1, "c": 2}
_BLOCKS = {"block35": "repeat_1", "block17": "repeat_2", "block8": "repeat_3"}


def pictures():
    """Two pictures of noise, uint8 [2, 160, 160, 3]."""
    return np.random.RandomState(0).randint(0, 256, (2, 160, 160, 3)).astype(np.uint8)


def made_up(name, shape):
    """Values of the tensor that facenet-pytorch calls `name`; activations neither grow nor die."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
        return (0.5 + random.rand(*shape)).astype(np.float32)
    if len(shape) == 1:
        return (0.1 * random.randn(*shape)).astype(np.float32)
    fan_in = np.prod(shape[1:])
    return (random.randn(*shape) * np.sqrt(2 / fan_in)).astype(np.float32)


def embeddings():
    """What facenet-pytorch makes of the pictures, [2, 512]."""
    import torch

    # The package itself wants torchvision, which only its detector needs.
    package = types.ModuleType("facenet_pytorch")
    package.__path__ = list(importlib.util.find_spec("facenet_pytorch").submodule_search_locations)
    sys.modules["facenet_pytorch"] = package
    from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

    model = InceptionResnetV1().eval()
    state = {
        name: torch.from_numpy(made_up(name, tuple(tensor.shape)))
        for name, tensor in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    model.load_state_dict(state, strict=False)
    pixels = torch.from_numpy((pictures().transpose(0, 3, 1, 2) - 127.5) / 128).float()
    with torch.no_grad():
        return model(pixels).numpy()


def their_name(layer):
    """What facenet-pytorch calls our convolution: `block17_3_b2` is `repeat_2.2.branch1.1`."""
    if layer.startswith("stem_conv"):
        return f"conv2d_{layer.removeprefix('stem_conv')}"
    block, rest = re.fullmatch(r"(block\d+_\d+|mixed_\da)_(\w+)", layer).groups()
    if block == "block8_6":
        block = "block8"
    elif block.startswith("block"):
        kind, number = block.split("_")
        block = f"{_BLOCKS[kind]}.{int(number) - 1}"
    if rest == "up":
        return f"{block}.conv2d"
    branch, number = _BRANCH[rest[0]], int(rest[1])
    single = branch == 0 and not block.startswith("mixed_7a")
    return f"{block}.branch{branch}" + ("" if single else f".{number - 1}")


def fill(model):
    """Give our model the made-up weights; their scales of batch normalisation go into kernels."""
    for layer in model.layers:
        if layer.name.endswith("_up"):
            name = their_name(layer.name)
            kernel, bias = (values.shape for values in layer.get_weights())
            layer.set_weights([_kernel(f"{name}.weight", kernel), made_up(f"{name}.bias", bias)])
        elif layer.name.endswith("_norm"):
            _fill_normalised(model.get_layer(layer.name.removesuffix("_norm")), layer)


def _fill_normalised(layer, norm):
    if layer.name == "bottleneck":
        weight, statistics = "last_linear.weight", "last_bn"
    else:
        weight, statistics = (f"{their_name(layer.name)}.{part}" for part in ("conv.weight", "bn"))
    (kernel,) = layer.get_weights()
    channels = kernel.shape[-1:]
    scale, offset, mean, variance = (
        made_up(f"{statistics}.{part}", channels)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    layer.set_weights([_kernel(weight, kernel.shape) * scale])
    norm.set_weights([offset, mean * scale, variance])


def _kernel(name, shape):
    """In our order: places, inputs, outputs; theirs is outputs, inputs, places."""
    *places, inputs, outputs = shape
    values = made_up(name, (outputs, inputs, *places))
    return np.moveaxis(values, (0, 1), (-1, -2))


if __name__ == "__main__":
    print(json.dumps({"embeddings": np.round(embeddings()[:, ::EVERY], 7).tolist()}, indent=1))
