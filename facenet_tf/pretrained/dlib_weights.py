"""dlib's network with the weights that its author published in 2017, into the public domain."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.models.dlib_resnet import STAGES
from facenet_tf.pretrained.dlib_file import Contents, read_network
from facenet_tf.pretrained.dlib_package import WEIGHTS, package_file, sha256_of
from facenet_tf.pretrained.filling import check_forward

SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
"""Of the file in face-recognition-models 0.3.0."""

# As dnn_face_recognition_ex.cpp nests them, from the input on.
_BLOCK = ("mark", "convolution", "affine", "relu", "convolution", "affine")
_SAME = (*_BLOCK, "sum", "relu")
_HALVING = (*_BLOCK, "mark", "mark", "average_pool", "sum", "relu")

_WITHOUT_BIAS, _BY_CHANNEL = 1, 0  # dlib's FC_NO_BIAS and CONV_MODE


def kinds() -> list[str]:
    """The layers of the network as `read_network` wants them."""
    found = ["convolution", "affine", "relu", "max_pool"]
    for _, blocks, halves in STAGES:
        for block in range(blocks):
            found += _HALVING if halves and not block else _SAME
    return [*found, "average_pool", "dense"]


def dlib_model(path: Path | None = None) -> keras.Model:
    """The network with its weights.

    Args:
        path: a file of the same network; None: that of the package face-recognition-models, which
            has to be the published one to the bit.

    Returns:
        From crops [B, 150, 150, 3] of `Preprocessing("dlib", 150, normalization="dlib")` to vectors
        [B, 128] of length 1. Those before "embedding" are dlib's own.

    Raises:
        InputError: the package is missing, the file damaged or of another network, or its weights
            make no embedding of a picture.
    """
    if path is None:
        path = package_file(WEIGHTS)
        _check_digest(path)
    layers = [layer for layer in read_network(path, kinds()) if layer.parameters is not None]
    publication = models.published("dlib_resnet")
    model = models.build("dlib_resnet", preprocessing=publication.preprocessing)
    ours = [layer for layer in model.layers if layer.weights]
    for layer, theirs in zip(ours, layers, strict=True):
        layer.set_weights(_weights(layer, theirs, path))
    _balance(model)
    check_forward(model, path)
    return model


def _balance(model: keras.Model) -> None:
    """Bring the scale after each convolution near 1, by what its filters are multiplied with.

    dlib's filters are so small (4e-4 to 1e-2) and its scales so large (3 to 14) that a step of Adam
    at a usual rate would be larger than a filter. Powers of two change no bit of what comes out.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            norm = model.get_layer(f"{layer.name}_norm")
            scale, offset = norm.get_weights()
            sizes = np.where(scale == 0, 1, np.abs(scale))
            power = np.exp2(np.round(np.log2(sizes))).astype(np.float32)
            layer.set_weights([weight * power for weight in layer.get_weights()])
            norm.set_weights([scale / power, offset])


def _weights(layer: keras.layers.Layer, theirs: Contents, path: Path) -> list[NDArray[np.float32]]:
    """Theirs in the order of ours: filters [n, c, h, w] with n biases, n gammas with n betas, or
    [inputs, outputs]."""
    shapes = [tuple(weight.shape) for weight in layer.weights]
    values = theirs.parameters
    count = sum(int(np.prod(shape)) for shape in shapes)
    if values is None or len(values) != count or theirs.integers != _integers(layer):
        raise InputError(f"{path}: {layer.name} does not fit: it is of another network")
    first = values[: int(np.prod(shapes[0]))]
    if len(shapes[0]) == 4:
        height, width, inputs, outputs = shapes[0]
        first = first.reshape(outputs, inputs, height, width).transpose(2, 3, 1, 0)
    weights = [first.reshape(shapes[0])]
    return weights if len(shapes) == 1 else [*weights, values[first.size :]]


def _integers(layer: keras.layers.Layer) -> tuple[int, ...]:
    """What dlib writes of a layer beside its weights."""
    if isinstance(layer, keras.layers.Conv2D):
        padding = [side // 2 if layer.padding == "same" else 0 for side in layer.kernel_size]
        return (layer.filters, *layer.kernel_size, *layer.strides, *padding)
    if isinstance(layer, keras.layers.Dense):
        return (layer.units, layer.kernel.shape[0], _WITHOUT_BIAS)
    return (_BY_CHANNEL,)


def _check_digest(path: Path) -> None:
    digest = sha256_of(path)
    if digest != SHA256:
        raise InputError(
            f"{path} is not the published file (SHA-256 {digest[:16]}…, not {SHA256[:16]}…): "
            "reinstall the package face-recognition-models"
        )
