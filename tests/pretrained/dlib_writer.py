"""Writes small networks as dlib's `serialize` does, after its C++ and not after our reader."""

import struct

import numpy as np

# By kind: its tag, integers before and after the tensor, shapes of parts of the tensor, integers
# after these, real numbers at its end.
KINDS = {
    "convolution": ("con_4", 0, 7, 2, 0, 4),
    "affine": ("affine_", 0, 0, 2, 1, 0),
    "relu": ("relu_", 0, 0, 0, 0, 0),
    "max_pool": ("max_pool_2", 6, 0, 0, 0, 0),
    "average_pool": ("avg_pool_2", 6, 0, 0, 0, 0),
    "sum": ("add_prev_", 0, 0, 0, 0, 0),
    "dense": ("fc_2", 2, 0, 2, 1, 4),
}
PARAMETERS = {"convolution": 2 * 3 * 3 * 3 + 2, "affine": 4, "dense": 6}
SMALL = ["convolution", "affine", "relu", "max_pool", "mark", "affine", "mark", "average_pool"]
SMALL += ["sum", "dense"]


def integer(value):
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def text(value):
    return integer(len(value)) + value.encode()


def real(value):
    mantissa, exponent = np.frexp(np.float64(value))
    return integer(int(mantissa * 2**53)) + integer(int(exponent) - 53)


def shape(*sides):
    return integer(1) + b"".join(map(integer, sides))


def tensor(values):
    sides = (len(values), 1, 1, 1) if len(values) else (0, 0, 0, 0)
    return integer(2) + b"".join(map(integer, sides)) + struct.pack(f"<{len(values)}f", *values)


def layer(kind, parameters):
    tag, before, between, shapes, after, reals = KINDS[kind]
    data = text(tag) + b"".join(map(integer, range(before)))
    data += tensor(parameters) if kind in PARAMETERS else b""
    data += b"".join(map(integer, range(between))) + shape(1, 2, 3, 4) * shapes
    data += integer(-300) * after + real(0.5) * reals
    return data + b"110" + tensor([]) * 3


def network(kinds=SMALL, seed=0):
    """The file, and the parameters that it holds, by layer."""
    random = np.random.RandomState(seed)
    parameters = {
        number: random.normal(size=PARAMETERS[kind]).astype(np.float32)
        for number, kind in enumerate(kinds)
        if kind in PARAMETERS
    }
    data = integer(1) + text("loss_metric_2") + real(0.04) + real(0.6)
    data += b"".join(integer(1 if kind == "mark" else 2) for kind in reversed(kinds[1:]))
    data += integer(3) + text("input_rgb_image_sized")
    data += b"".join(map(real, (122.782, 117.001, 104.298))) + integer(150) * 2
    for number, kind in enumerate(kinds):
        data += layer(kind, parameters.get(number, [])) if kind != "mark" else b""
        data += integer(1) if number == 0 else b""  # the factor by which the input expands
    return data, list(parameters.values())
