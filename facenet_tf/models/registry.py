"""Architectures by name.

An architecture is a function from normalised pixels to the tensor of its last layer, a dense one
named "bottleneck", or the "bottleneck_norm" after it; `build` puts the same input and the same
ending around each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras

from facenet_tf.models import keras_backbones
from facenet_tf.models.layers import PixelNormalization, UnitLength
from facenet_tf.models.publication import Published
from facenet_tf.preprocessing import Preprocessing

_architectures: dict[str, Callable[..., Any]] = {}
_published: dict[str, Published] = {}
# By the type of an option's default: what it may be, in types and in words.
_KINDS: dict[type, tuple[Any, str]] = {
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    str: (str, "a word"),
}


def register(
    name: str, publication: Published
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: make `architecture(pixels, embedding_size, **options)` known as `name`.

    Args:
        name: what `build` knows it by.
        publication: what its authors say of it; `published` gives it.
    """

    def remember(architecture: Callable[..., Any]) -> Callable[..., Any]:
        if name in _architectures:
            raise ValueError(f"architecture {name!r} is registered twice")
        _architectures[name], _published[name] = architecture, publication
        return architecture

    return remember


def names() -> list[str]:
    """Names of all architectures, sorted."""
    return sorted(_architectures)


def published(name: str) -> Published:
    """What the authors of an architecture say of it.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in _published:
        raise ValueError(f"no architecture {name!r}; there are {', '.join(names())}")
    return _published[name]


def build(
    name: str,
    *,
    preprocessing: Preprocessing,
    embedding_size: int | None = None,
    **options: Any,
) -> keras.Model:
    """Build an embedding model with fresh weights.

    Args:
        name: one of `names()`, or "keras:" and the name of a network of `keras.applications`.
        preprocessing: how the crops are made; it travels inside the model, and gives its input
            size and channels.
        embedding_size: number of dimensions of an embedding; None: as published.
        **options: of the architecture, those of `options_of` that are to differ.

    Returns:
        A functional model from pixels 0...255, uint8 or floating [B, H, W, channels], to
        embeddings, float32 [B, embedding_size] of length 1.

    Raises:
        ValueError: for an unknown name or option, or a value that the architecture refuses.
    """
    architecture, default = _architecture(name)
    _check(name, options)
    pixels = keras.Input(preprocessing.shape, name="pixels")
    normalized = PixelNormalization(preprocessing.to_dict(), name="normalization")(pixels)
    size = default if embedding_size is None else embedding_size
    features = architecture(normalized, size, **options)
    embedding = UnitLength(name="embedding")(features)
    return keras.Model(pixels, embedding, name=name.replace(":", "_"))


def options_of(name: str) -> dict[str, Any]:
    """The options of an architecture by name, with their defaults: as published.

    They are the arguments of its function that have a default; those without one, such as the
    blocks of each stage, make it the network of that name.

    Raises:
        ValueError: for an unknown name.
    """
    settled = inspect.signature(_architecture(name)[0]).parameters
    return {
        option: settled[option].default
        for option, parameter in inspect.signature(function_of(name)).parameters.items()
        if parameter.default is not parameter.empty
    }


def embedding_size_of(name: str) -> int:
    """Number of dimensions of an embedding unless another is asked for: as published, and 128 for
    the networks of `keras.applications`, which were published for other things.

    Raises:
        ValueError: for an unknown name.
    """
    return _architecture(name)[1]


def function_of(name: str) -> Callable[..., Any]:
    """The function that makes an architecture, as its module has it for the whole family.

    Raises:
        ValueError: for an unknown name.
    """
    architecture, _ = _architecture(name)
    return getattr(architecture, "func", architecture)


def name_of(model: keras.Model) -> str:
    """What `build` was asked for when it made a model: Keras takes no ":" in names."""
    prefix = keras_backbones.PREFIX
    before = prefix.replace(":", "_")
    is_backbone = model.name.startswith(before)
    return prefix + model.name.removeprefix(before) if is_backbone else str(model.name)


def _architecture(name: str) -> tuple[Callable[..., Any], int]:
    """The function of a name, and the number of dimensions unless another is asked for."""
    if name.startswith(keras_backbones.PREFIX):
        return keras_backbones.architecture(name.removeprefix(keras_backbones.PREFIX)), 128
    publication = published(name)
    return _architectures[name], publication.embedding_size


def _check(name: str, given: Mapping[str, Any]) -> None:
    """Raise ValueError for an option that there is not, or a value of another kind."""
    known = options_of(name)
    for option, value in given.items():
        if option not in known:
            raise ValueError(f"{name} has no option {option!r}; it has {', '.join(sorted(known))}")
        types, words = _KINDS.get(type(known[option]), (object, ""))
        if not isinstance(value, types):
            raise ValueError(f"{option} must be {words}, not {value!r}")


def preprocessing_of(model: keras.Model) -> Preprocessing:
    """How crops for `model` are made, read from its first layer.

    Raises:
        ValueError: for a model without a `PixelNormalization` layer.
    """
    for layer in model.layers:
        if isinstance(layer, PixelNormalization):
            return Preprocessing.from_dict(layer.preprocessing)
    raise ValueError(f"model {model.name!r} has no PixelNormalization layer: not built here")
