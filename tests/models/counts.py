"""What tests of architectures count."""

import math

import keras

from facenet_tf.models import DepthwiseConvolution

WEIGHTED = (keras.layers.Conv2D, keras.layers.Dense, DepthwiseConvolution)


def parameters(variables):
    """Numbers in the variables."""
    return sum(math.prod(variable.shape) for variable in variables)


def weights(model):
    """Per layer with a kernel, by name: the numbers in it, without biases."""
    layers = [layer for layer in model.layers if isinstance(layer, WEIGHTED)]
    return {layer.name: math.prod(layer.kernel.shape) for layer in layers}


def multiply_adds(model):
    """Of one picture: each weight is used once per place of its layer's output."""
    outputs = {
        layer.name: layer.output.shape for layer in model.layers if layer.name in weights(model)
    }
    return sum(count * math.prod(outputs[name][1:-1]) for name, count in weights(model).items())


def shapes(model):
    """Output shape of each layer, without the batch."""
    return {layer.name: tuple(layer.output.shape)[1:] for layer in model.layers}
