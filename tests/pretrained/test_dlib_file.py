import os
import tracemalloc

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.pretrained.dlib_file import MOST_BYTES, read_network

from .dlib_writer import SMALL, integer, network, real, text

DATA, PARAMETERS = network()
FIRST = text("con_4") + integer(2)


@pytest.fixture
def read(tmp_path):
    def written(data, kinds=SMALL):
        path = tmp_path / "network.dat"
        path.write_bytes(data)
        return read_network(path, kinds)

    return written


def refused(read, data):
    """The one line that a file is refused with."""
    with pytest.raises(InputError) as caught:
        read(data)
    message = str(caught.value)
    assert "network.dat" in message
    assert message.isprintable()
    return message


def test_reads_what_dlib_would_have_written(read):
    layers = read(DATA)
    assert [layer.tag for layer in layers if layer.parameters is not None] == [
        "con_4",
        "affine_",
        "affine_",
        "fc_2",
    ]
    found = [layer.parameters for layer in layers if layer.parameters is not None]
    for ours, theirs in zip(found, PARAMETERS, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert layers[0].integers == tuple(range(7))
    assert layers[0].shapes == ((1, 2, 3, 4),) * 2
    assert layers[1].integers == (-300,)


def test_every_end_that_comes_too_early_is_refused(read):
    for length in range(len(DATA)):
        assert "damaged" in refused(read, DATA[:length])


def test_what_follows_the_end_is_refused(read):
    assert "after its end" in refused(read, DATA + b"\0")


def test_other_networks_are_refused(read):
    for kinds in (SMALL[:-1], ["convolution", *SMALL], [*SMALL[:1], "relu", *SMALL[2:]]):
        with pytest.raises(InputError, match="damaged or of another network"):
            read(DATA, kinds)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (FIRST, FIRST + b"\x08" + b"\xff" * 8, "larger than what is left"),
        (FIRST, FIRST + integer(-7), "negative side"),
        (FIRST, text("con_4") + integer(3), "version of a tensor is 3"),
        (text("con_4"), integer(2**40), "a name has 1099511627776 letters"),
        (text("con_4"), text("con_5"), "'con_5', not 'con_4'"),
        (real(0.04), integer(1) + integer(30000), "a number is too large"),
        (b"110", b"1a0", "neither 0 nor 1"),
        (integer(150), b"\x79" + bytes(9), "begins with 0x79"),
    ],
)
def test_hostile_counts_and_kinds_are_named(read, old, new, named):
    assert old in DATA
    assert named in refused(read, DATA.replace(old, new, 1))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(read, value):
    first = PARAMETERS[0].tobytes()
    damaged = np.float32(value).tobytes() + first[4:]
    assert "not finite" in refused(read, DATA.replace(first, damaged))


def test_what_is_no_file_is_refused(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, tmp_path / "none.dat", pipe):
        with pytest.raises(InputError, match="no such file"):
            read_network(path, SMALL)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.dat"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError, match="more than a network of dlib's has"):
        read_network(path, SMALL)


def mutated(data, random):
    """A few bytes flipped, replaced, doubled, left out or moved."""
    data = bytearray(data)
    for _ in range(random.integers(1, 4)):
        at = int(random.integers(len(data)))
        length = int(random.integers(1, 12))
        kind = random.integers(6)
        if kind == 0:
            data[at] ^= 1 << int(random.integers(8))
        elif kind == 1:
            data[at : at + length] = random.bytes(length)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length]
        elif kind == 4:
            data[at : at + length] = b"\xff" * length
        else:
            data[at:at] = random.bytes(length)
    return bytes(data)


def outcome(data, path):
    """Whether a file is refused; else its weights are as many as they were, and finite."""
    path.write_bytes(data)
    try:
        layers = read_network(path, SMALL)
    except InputError as error:
        assert str(error).isprintable()
        return True
    arrays = [layer.parameters for layer in layers if layer.parameters is not None]
    assert [len(array) for array in arrays] == [len(array) for array in PARAMETERS]
    assert all(np.isfinite(array).all() for array in arrays)
    return False


def test_no_mutation_does_more_than_be_refused(tmp_path):
    """A changed weight is a weight: such a file is read."""
    random = np.random.default_rng(0)
    refused = sum(outcome(mutated(DATA, random), tmp_path / "network.dat") for _ in range(3000))
    assert 1500 < refused < 3000


def test_no_mutation_takes_memory(tmp_path):
    random = np.random.default_rng(1)
    tracemalloc.start()
    for _ in range(200):
        outcome(mutated(DATA, random), tmp_path / "network.dat")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
