"""VGG-Face from the `.h5` of keras-vggface: VGG-16 with the classifier of 2,622 people.

Its first kernel wants blue first, as Caffe has pictures; ours is turned to red first.
"""

from __future__ import annotations

import dataclasses
import math

import keras

from facenet_tf import models
from facenet_tf.pretrained.filling import Filling
from facenet_tf.pretrained.imported import Imported
from facenet_tf.pretrained.tensors import Tensors

FORM = "VGG-Face (VGG-16), .h5 of keras-vggface"
FIRST, LAST = "conv1_1", "fc7"
CHANNELS, SIDE = 512, 32
"""Of the last map, and of the pixels that one of its places stands for."""


def read(tensors: Tensors) -> Imported:
    """The network to its layer fc7, with crops and units as the file has them.

    Raises:
        InputError: it is another network, or has no layers fc6 and fc7.
    """
    inputs, width = tensors.shape("fc6/kernel", rank=2)
    side = SIDE * math.isqrt(inputs // CHANNELS)
    crops = dataclasses.replace(models.published("vgg_face").preprocessing, size=side)
    dimensions = tensors.shape(f"{LAST}/kernel", rank=2)[1]
    model = models.build("vgg_face", preprocessing=crops, embedding_size=dimensions, width=width)
    filling = Filling(model, tensors.path)
    for layer in model.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            name = LAST if layer.name == "bottleneck" else layer.name
            kernel = tensors.take(f"{name}/kernel", tuple(layer.kernel.shape))
            bias = tensors.take(f"{name}/bias", (kernel.shape[-1],))
            if name == FIRST:
                kernel = kernel[:, :, ::-1]
            filling.kernel(layer.name, kernel, f"{name}/kernel", bias=bias)
    return Imported(filling.finished(), FORM, filling.mapped, tensors.left_out(("fc8/*",)))
