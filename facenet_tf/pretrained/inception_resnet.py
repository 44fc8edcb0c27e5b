"""Inception-ResNet-v1 as davidsandberg, its Keras conversion and facenet-pytorch have it.

All three are one network with other names. davidsandberg's slim scopes say branch, place in the
branch and size of the kernel (`Repeat_1/block17_3/Branch_1/Conv2d_0b_1x7`); the Keras file joins
them otherwise (`Block17_3_Branch_1_Conv2d_0b_1x7`); facenet-pytorch counts from 0 and leaves the
number out where a branch is a single convolution (`repeat_2.2.branch1.1`). Only the last has scales
of batch normalisation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Normalization, Preprocessing
from facenet_tf.pretrained.filling import Array, Filling, Norm
from facenet_tf.pretrained.imported import Imported
from facenet_tf.pretrained.tensors import Tensors

SIZE = 160
EPSILON = 1e-3
"""Of batch normalisation, in all three."""
BOTTLENECK = "bottleneck"
LAST = "block8_6"
"""The block without activation, which the others do not count with the five before it."""


@dataclass(frozen=True)
class Names:
    """What a file calls the tensors of one layer."""

    kernel: str
    bias: str
    norm: str
    """To be formatted with the part."""


@dataclass(frozen=True)
class Scheme:
    """What a kind of file calls its tensors, how its kernels lie, what it holds besides."""

    names: Callable[[Any], Names]
    """Of the counterpart of our convolution or dense layer."""
    bottleneck: str
    """Kernel of the last layer."""
    offset: str
    mean: str
    variance: str
    scale: str | None
    """Parts of batch normalisation."""
    outputs_first: bool
    left_out: tuple[str, ...]
    """Patterns of what belongs to no layer of ours."""

    def kernel(self, tensors: Tensors, name: str, shape: tuple[int, ...]) -> Array:
        """A kernel in our order, of our shape; raises InputError if it has another."""
        if not self.outputs_first:
            return tensors.take(name, shape)
        *places, inputs, outputs = shape
        return np.moveaxis(tensors.take(name, (outputs, inputs, *places)), (0, 1), (-1, -2))

    def norm(self, tensors: Tensors, name: str, channels: int) -> Norm:
        """Batch normalisation; raises InputError if it is not there."""

        def part(which: str) -> Array:
            return tensors.take(name.format(which), (channels,))

        gamma = np.ones(channels, np.float32) if self.scale is None else part(self.scale)
        return Norm(gamma, part(self.offset), part(self.mean), part(self.variance), EPSILON)


def _place(layer: Any) -> tuple[str, int | None, int, bool]:
    """Of our `block17_3_b2`: block block17_3, branch 1 (None without), the 2nd there, alone or not.

    Branches of the blocks named a are single convolutions, those of mixed_7a are not.
    """
    found = re.fullmatch(r"(stem|block\d+_\d+|mixed_\da)_(\w+)", layer.name)
    assert found is not None
    block, rest = found.groups()
    if block == "stem" or rest == "up":
        return block, None, 1, True
    alone = rest[0] == "a" and block != "mixed_7a"
    return block, "abc".index(rest[0]), int(rest[1:]), alone


def _slim_parts(layer: Any) -> list[str]:
    """Scopes of our layer's counterpart: block, branch, convolution; without repeats."""
    if layer.name == BOTTLENECK:
        return ["Bottleneck"]
    block, branch, number, alone = _place(layer)
    size = "{}x{}".format(*layer.kernel_size)
    if block == "stem":
        return [f"Conv2d_{layer.name.removeprefix('stem_conv')}_{size}"]
    if branch is None:
        return [block, f"Conv2d_{size}"]
    within = "" if alone else f"0{'abc'[number - 1]}_"
    order = "1a_" if layer.strides == (2, 2) else within
    block = block.replace("mixed", "Mixed")
    return [block, f"Branch_{branch}", f"Conv2d_{order}{size}"]


def _slim_names(layer: Any) -> Names:
    scopes = _slim_parts(layer)
    repeats = {"block35": "Repeat/", "block17": "Repeat_1/", "block8_": "Repeat_2/"}
    repeat = next((repeats[kind] for kind in repeats if scopes[0].startswith(kind)), "")
    scopes[0] = "Block8" if scopes[0] == LAST else repeat + scopes[0]
    name = "/".join(["InceptionResnetV1", *scopes])
    return Names(f"{name}/weights", f"{name}/biases", name + "/BatchNorm/{}")


def _keras_names(layer: Any) -> Names:
    name = "_".join(_slim_parts(layer)).replace("block", "Block")
    return Names(f"{name}/kernel", f"{name}/bias", name + "_BatchNorm/{}")


def _torch_names(layer: Any) -> Names:
    if layer.name == BOTTLENECK:
        return Names("last_linear.weight", "last_linear.bias", "last_bn.{}")
    block, branch, number, alone = _place(layer)
    repeats = {"block35": "repeat_1", "block17": "repeat_2", "block8": "repeat_3"}
    kind, _, which = block.partition("_")
    if block == "stem":
        name = f"conv2d_{layer.name.removeprefix('stem_conv')}"
    elif block == LAST or kind == "mixed":
        name = kind if block == LAST else block
    else:
        name = f"{repeats[kind]}.{int(which) - 1}"
    if layer.name.endswith("_up"):
        return Names(f"{name}.conv2d.weight", f"{name}.conv2d.bias", "")
    if branch is not None:
        name += f".branch{branch}" + ("" if alone else f".{number - 1}")
    return Names(f"{name}.conv.weight", f"{name}.conv.bias", name + ".bn.{}")


# What davidsandberg's training leaves besides: classifier, centres, optimisers, averages.
_SLIM_REST = (
    "Logits/*",
    "centers",
    "global_step",
    "beta?_power",
    *(f"*/{slot}" for slot in ("Adam", "Adam_1", "Adagrad", "Adadelta*", "RMSProp*", "Momentum")),
    "*ExponentialMovingAverage",
)

SLIM = Scheme(
    _slim_names,
    "InceptionResnetV1/Bottleneck/weights",
    "beta",
    "moving_mean",
    "moving_variance",
    scale=None,
    outputs_first=False,
    left_out=_SLIM_REST,
)
KERAS = Scheme(
    _keras_names,
    "Bottleneck/kernel",
    "beta",
    "moving_mean",
    "moving_variance",
    scale=None,
    outputs_first=False,
    left_out=(),
)
TORCH = Scheme(
    _torch_names,
    "last_linear.weight",
    "bias",
    "running_mean",
    "running_var",
    "weight",
    outputs_first=True,
    left_out=("logits.*", "*.num_batches_tracked"),
)


def read(
    tensors: Tensors, scheme: Scheme, form: str, normalization: Normalization | None = None
) -> Imported:
    """The network of a file, with as many dimensions as it has.

    Args:
        tensors: of the file.
        scheme: `SLIM`, `KERAS` or `TORCH`.
        form: of the file, in words.
        normalization: what the weights were trained with; None: as davidsandberg's published
            models, "fixed" with 512 dimensions and "per_image" with 128.

    Raises:
        InputError: it is another network.
    """
    dimensions = tensors.shape(scheme.bottleneck, rank=2)[0 if scheme.outputs_first else 1]
    usual: Normalization = "per_image" if dimensions == 128 else "fixed"
    crops = Preprocessing(size=SIZE, normalization=normalization or usual)
    model = models.build("inception_resnet_v1", preprocessing=crops, embedding_size=dimensions)
    filling = Filling(model, tensors.path)
    for layer in model.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            _fill(filling, layer, tensors, scheme)
    left_out = tensors.left_out(scheme.left_out)
    return Imported(filling.finished(), form, filling.mapped, left_out)


def _fill(filling: Filling, layer: Any, tensors: Tensors, scheme: Scheme) -> None:
    names = scheme.names(layer)
    kernel = scheme.kernel(tensors, names.kernel, tuple(layer.kernel.shape))
    channels = kernel.shape[-1]
    if layer.use_bias:
        bias = tensors.take(names.bias, (channels,))
        filling.kernel(layer.name, kernel, names.kernel, bias=bias)
    else:
        norm = scheme.norm(tensors, names.norm, channels)
        filling.kernel(layer.name, kernel, names.kernel, norm=norm)


def check_description(path: Path, layers: Sequence[Mapping[str, Any]], model: keras.Model) -> None:
    """Compare what a Keras file says of its layers with ours, where it says it.

    The Lambda layers scale residuals: their bytecode is not looked at, the number they are given
    is. Ours has the scaling as a layer of its own.

    Raises:
        InputError: a residual is scaled otherwise, batch normalisation has another epsilon, or the
            description is damaged.
    """
    try:
        for layer in layers:
            kind, config = layer["class_name"], layer["config"]
            if kind == "Lambda" and "scale" in (arguments := config["arguments"] or {}):
                after = layer["inbound_nodes"][0][0][0]
                block = after.removesuffix("_Conv2d_1x1").replace("Block", "block")
                expected = model.get_layer(f"{block}_sum").scale
                _check_equal(path, f"the residual of {block}", arguments["scale"], expected)
            elif kind == "BatchNormalization":
                _check_equal(path, f"epsilon of {config['name']}", config["epsilon"], EPSILON)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: what it says of its layers is damaged ({error!r})") from error


def _check_equal(path: Path, what: str, found: Any, expected: float) -> None:
    if not np.isclose(found, expected, rtol=1e-6):
        raise InputError(f"{path}: {what} is {found}, not {expected}: it is of another network")
