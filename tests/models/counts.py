"""What tests of architectures count."""

import contextlib
import math
from unittest import mock

import keras

from facenet_tf.models import DepthwiseConvolution, GroupedConvolution, LocallyConnected

WEIGHTED = (
    keras.layers.Conv2D,
    keras.layers.Dense,
    DepthwiseConvolution,
    GroupedConvolution,
    LocallyConnected,
)


@contextlib.contextmanager
def zeros():
    """Variables are made of zeros within, where a large network is only looked at."""
    add_weight = keras.layers.Layer.add_weight

    def add_zeros(self, *arguments, **options):
        return add_weight(self, *arguments, **{**options, "initializer": "zeros"})

    with mock.patch.object(keras.layers.Layer, "add_weight", add_zeros):
        yield


def parameters(variables):
    """Numbers in the variables."""
    return sum(math.prod(variable.shape) for variable in variables)


def weights(model):
    """Per layer with a kernel, by name: the numbers in it, without biases."""
    layers = [layer for layer in model.layers if isinstance(layer, WEIGHTED)]
    return {layer.name: math.prod(layer.kernel.shape) for layer in layers}


def weights_of_blocks(model, blocks):
    """Sums of `weights` over the layers whose names start with that of a block."""
    counted = dict.fromkeys(blocks, 0)
    for name, count in weights(model).items():
        counted[next(block for block in blocks if name.startswith(block))] += count
    return counted


def multiply_adds(model):
    """Of one picture: each weight is used once per place of its layer's output, or at one place."""
    total = 0
    for name, count in weights(model).items():
        layer = model.get_layer(name)
        places = math.prod(layer.output.shape[1:-1])
        total += count * (1 if isinstance(layer, LocallyConnected) else places)
    return total


def shapes(model):
    """Output shape of each layer, without the batch."""
    return {layer.name: tuple(layer.output.shape)[1:] for layer in model.layers}
