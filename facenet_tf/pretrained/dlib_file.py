"""Networks as dlib's `serialize` writes them: a strict reader of a file from outside.

An integer is a byte (low nibble: how many bytes follow; 0x80: negative) and its little-endian
bytes, a real number its mantissa and binary exponent as integers, a text its length and bytes, a
flag "0" or "1", a tensor version 2, four sides and float32 values. A network nests: the versions of
all its layers come first, from the output on, then the layers' contents from the input on. Which
layers there are is not in the file but in dlib's type of the network; whoever reads has to know.

What a file can make this reader do is bounded by its size: every count is compared with the bytes
that are left before anything is read or allocated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError

MOST_BYTES = 64 << 20
"""Larger files are refused; dlib's network has 22 million bytes."""
_LONGEST_TEXT = 64


class Layer(NamedTuple):
    """A layer of a network, without its weights."""

    tag: str
    """As which kind and version it is written; "" for a tag or a skip, which has no contents."""
    fields: str
    """What it consists of, a letter each: t tensor of parameters, i integer, r real number, a
    shape of a part of the parameters."""


class Contents(NamedTuple):
    """What a file says of a layer."""

    tag: str
    integers: tuple[int, ...]
    parameters: NDArray[np.float32] | None
    """One-dimensional; None for a layer that has none."""
    shapes: tuple[tuple[int, int, int, int], ...]


KINDS = {
    "convolution": Layer("con_4", "tiiiiiiiaarrrr"),
    "affine": Layer("affine_", "taai"),
    "relu": Layer("relu_", ""),
    "max_pool": Layer("max_pool_2", "iiiiii"),
    "average_pool": Layer("avg_pool_2", "iiiiii"),
    "sum": Layer("add_prev_", ""),
    "dense": Layer("fc_2", "iitaairrrr"),
    "mark": Layer("", ""),
}
"""Layers by a name of ours; a mark is what dlib calls a tag or a skip."""


def read_network(path: Path, kinds: Sequence[str]) -> list[Contents]:
    """Read a network for RGB pictures with metric loss.

    Args:
        path: the file.
        kinds: of all its layers, from the input on, names of KINDS.

    Returns:
        The contents of the layers that have any, in this order.

    Raises:
        InputError: the file cannot be read, is damaged, too large, or of another network.
    """
    try:
        if not path.is_file():  # reading a pipe would never end
            raise InputError(f"{path}: there is no such file")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputError(f"{path}: {size} bytes are more than a network of dlib's has")
        with path.open("rb") as file:
            return _Reader(file, path, size).network([KINDS[kind] for kind in kinds])
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


class _Reader:
    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self._file, self._path, self._left = file, path, size

    def network(self, layers: Sequence[Layer]) -> list[Contents]:
        self._expect(self._integer(), 1, "version of the loss")
        self._expect(self._text(), "loss_metric_2", "loss")
        self._real(), self._real()
        for layer in reversed(layers[1:]):
            self._expect(self._integer(), 2 if layer.tag else 1, "version of a layer")
        self._expect(self._integer(), 3, "version of the first layer")
        self._expect(self._text(), "input_rgb_image_sized", "input")
        self._real(), self._real(), self._real()
        self._integer(), self._integer()
        contents = [self._layer(layers[0])]
        self._expect(self._integer(), 1, "number of pictures made of one")
        contents += [self._layer(layer) for layer in layers[1:] if layer.tag]
        self._expect(self._left, 0, "number of bytes after its end")
        return contents

    def _layer(self, layer: Layer) -> Contents:
        self._expect(self._text(), layer.tag, "kind of layer")
        found: dict[str, list[Any]] = {kind: [] for kind in "tira"}
        read = {"t": self._tensor, "i": self._integer, "r": self._real, "a": self._shape}
        for field in layer.fields:
            found[field].append(read[field]())
        for _ in range(3):  # set up, gradient stale, outputs disabled
            self._flag()
        for _ in range(3):  # what is left of the last pictures: gradient, output, gradient
            self._expect(len(self._tensor()), 0, "number of values of a layer's output")
        parameters = found["t"][0] if found["t"] else None
        return Contents(layer.tag, tuple(found["i"]), parameters, tuple(found["a"]))

    def _tensor(self) -> NDArray[np.float32]:
        self._expect(self._integer(), 2, "version of a tensor")
        count = math.prod(self._sides())
        if 4 * count > self._left:
            raise self._damaged("a tensor is larger than what is left of it")
        values = np.frombuffer(self._bytes(4 * count), "<f4").astype(np.float32)
        if not np.isfinite(values).all():
            raise self._damaged("a tensor has values that are not finite")
        return values

    def _shape(self) -> tuple[int, int, int, int]:
        self._expect(self._integer(), 1, "version of a shape")
        return self._sides()

    def _sides(self) -> tuple[int, int, int, int]:
        sides = (self._integer(), self._integer(), self._integer(), self._integer())
        if min(sides) < 0:
            raise self._damaged("a tensor has a negative side")
        return sides

    def _real(self) -> float:
        mantissa, exponent = self._integer(), self._integer()
        try:
            return math.ldexp(mantissa, exponent)
        except OverflowError as error:
            raise self._damaged("a number is too large") from error

    def _text(self) -> str:
        length = self._integer()
        if not 0 <= length <= _LONGEST_TEXT:
            raise self._damaged(f"a name has {length} letters")
        return self._bytes(length).decode("ascii", "replace")

    def _flag(self) -> None:
        if self._bytes(1) not in (b"0", b"1"):
            raise self._damaged("a flag is neither 0 nor 1")

    def _integer(self) -> int:
        (first,) = self._bytes(1)
        count = first & 0x0F
        if first & 0x70 or not 1 <= count <= 8:
            raise self._damaged(f"an integer begins with {first:#04x}")
        value = int.from_bytes(self._bytes(count), "little")
        return -value if first & 0x80 else value

    def _bytes(self, count: int) -> bytes:
        data = self._file.read(count) if count <= self._left else b""
        if len(data) != count:
            raise self._damaged("it ends too early")
        self._left -= count
        return data

    def _expect(self, found: int | str, expected: int | str, what: str) -> None:
        if found != expected:
            raise self._damaged(f"the {what} is {found!r}, not {expected!r}")

    def _damaged(self, problem: str) -> InputError:
        return InputError(
            f"{self._path} is damaged or of another network (byte {self._file.tell()}: {problem}): "
            "reinstall the package that has it"
        )
