"""The networks of `keras.applications` as backbones, with fresh weights and our head.

Their layers keep Keras' names and follow ours one by one in one flat model; those that normalise
pixels themselves are told not to. They are made for larger pictures: at 112 pixels most leave a map
of 4×4, in which "gap" is the head that they were published with.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from facenet_tf.models.heads import Head, bottleneck, pool

PREFIX = "keras:"
"""What names of models built here begin with, as in "keras:MobileNetV2"."""
MOMENTUM = 0.9
"""Of batch normalisation, as in `blocks.norm`: with their own, up to 0.999, inference would know of
the pictures only after thousands of steps."""


def architecture(name: str) -> Callable[..., Any]:
    """The architecture that a network of `keras.applications` makes, by the name of its function.

    Raises:
        ValueError: for an unknown name.
    """
    known = dict(inspect.getmembers(keras.applications, inspect.isfunction))
    if name not in known:
        raise ValueError(f"keras.applications has no {name!r}; it has {', '.join(known)}")
    return partial(network, application=known[name])


def network(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    application: Callable[..., keras.Model],
    head: Head = "gap",
    dropout: float = 0.0,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        application: a function of `keras.applications`.
        head: what becomes of the last map, as in `heads.pool`.
        dropout: fraction of the features dropped before the bottleneck in training.

    Raises:
        ValueError: for an unknown head, or a network that cannot take such pictures.
    """
    options: dict[str, Any] = {}
    if "include_preprocessing" in inspect.signature(application).parameters:
        options["include_preprocessing"] = False
    elif application.__name__.startswith("EfficientNet"):
        pixels = _for_efficient_net(pixels)
    shape = tuple(pixels.shape[1:])
    try:
        body = application(
            include_top=False, weights=None, input_tensor=pixels, input_shape=shape, **options
        )
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{PREFIX}{application.__name__} cannot take crops {list(shape)}: {reason}"
        ) from error
    for layer in body.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM
    x = pool(body.output, head)
    return bottleneck(x, embedding_size, dropout)


def _for_efficient_net(pixels: tf.Tensor) -> tf.Tensor:
    """What the first version, which divides by 255 whatever it is told, divides to our pixels."""
    keras.layers.Normalization()  # has its first name, which our own first layer bears
    return keras.layers.Rescaling(255.0, name="pixels_rescaled")(pixels)
