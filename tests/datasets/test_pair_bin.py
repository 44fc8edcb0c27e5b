"""insightface's .bin: what Python 2 and 3 wrote is read, and nothing of it is run."""

import pickle
import struct

import numpy as np
import pytest

from facenet_tf.datasets.pair_bin import read_bin
from facenet_tf.datasets.pickled_list import loads_lists
from facenet_tf.errors import InputError

CROPS = [b"\xff\xd8first\x00\xff", b"\x89PNG" + bytes(range(256)) * 2, b"c", b"d" * 70_000]
GENUINE = [True, False]


class Harmful:
    """What would write a file if it were unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def python2(crops, genuine):
    """The pickle that Python 2's cPickle writes at protocol 2: bytes are its `str`."""

    def text(data):
        if len(data) < 256:
            return b"U" + bytes([len(data)]) + data
        return b"T" + struct.pack("<i", len(data)) + data

    put = iter(range(1000))

    def remembered():
        return b"q" + bytes([next(put)])

    listed = b"".join(text(crop) + remembered() for crop in crops)
    flags = b"".join(b"\x88" if flag else b"\x89" for flag in genuine)
    first = b"]" + remembered() + b"(" + listed + b"e"
    second = b"]" + remembered() + b"(" + flags + b"e"
    return b"\x80\x02" + first + second + b"\x86" + remembered() + b"."


def written(tmp_path, content):
    path = tmp_path / "lfw.bin"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("flags", [GENUINE, [1, 0]])
def test_python_3(protocol, flags, tmp_path):
    path = written(tmp_path, pickle.dumps((CROPS, flags), protocol))
    found = read_bin(path)
    assert found.crops == CROPS
    assert found.genuine.tolist() == GENUINE
    assert found.genuine.dtype == bool


def test_python_2(tmp_path):
    content = python2(CROPS, GENUINE)
    assert pickle.loads(content, encoding="bytes") == (CROPS, GENUINE)
    found = read_bin(written(tmp_path, content))
    assert found.crops == CROPS
    assert found.genuine.tolist() == GENUINE


def test_a_picture_that_comes_twice(tmp_path):
    crop = b"the very same object"
    content = pickle.dumps(([crop, crop, crop, b"x"], GENUINE), 4)
    assert read_bin(written(tmp_path, content)).crops == [crop, crop, crop, b"x"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nothing_is_run(protocol, tmp_path):
    victim = tmp_path / "victim"
    path = written(tmp_path, pickle.dumps((CROPS, [Harmful(victim)] * 2), protocol))
    with pytest.raises(InputError, match=r"no \.bin of insightface"):
        read_bin(path)
    assert not victim.exists()


def text(data):
    """The instruction that puts a text on the stack."""
    return b"X" + struct.pack("<I", len(data)) + data


ENCODE, LATIN1 = b"c_codecs\nencode\n", text(b"latin1")
HOSTILE = {
    "a call": b"\x80\x02cos\nsystem\n(U\x04truetR.",
    "a call of another encoder": b"\x80\x02c_codecs\ndecode\n" + text(b"a") + LATIN1 + b"\x86R.",
    "encode with another code": b"\x80\x02" + ENCODE + text(b"a") + text(b"utf-8") + b"\x86R.",
    "encode of a list": b"\x80\x02" + ENCODE + b"]" + LATIN1 + b"\x86R.",
    "a call of a text": b"\x80\x02" + text(b"a") * 2 + LATIN1 + b"\x86R.",
    "a name from the stack": b"\x80\x04X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.",
    "an extension": b"\x80\x02\x82\x01.",
    "an instance": b"\x80\x02(cos\nsystem\no.",
    "a state": b"\x80\x02]]b.",
    "a persistent name": b"\x80\x02U\x01aQ.",
    "a buffer from elsewhere": b"\x80\x05\x97.",
    "a dictionary": b"\x80\x02}.",
    "more than the file has": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "less than nothing": b"\x80\x02T" + struct.pack("<i", -5) + b"abc.",
    "four gigabytes": b"\x80\x03B" + struct.pack("<I", 2**32 - 1) + b"abc.",
    "an empty stack": b"\x80\x02.",
    "two results": b"\x80\x02]].",
    "no mark": b"\x80\x02]]e.",
    "nothing remembered": b"\x80\x02h\x07.",
    "to append to a tuple": b"\x80\x02)]a.",
    "to append from nothing": b"\x80\x02a.",
    "a mark left over": b"\x80\x02(.",
    "protocol 0": pickle.dumps(([b"a", b"b"], [True]), 0),
    "no head": b"].",
    "a second head": b"\x80\x02\x80\x02].",
    "protocol 99": b"\x80\x63].",
    "no end": b"\x80\x02]",
    "nothing": b"",
    "a list in itself": b"\x80\x02]q\x00(h\x00h\x00e]q\x01(\x88e\x86.",
    "texts": pickle.dumps((["a", "b"], [True]), 4),
    "a text for a flag": pickle.dumps(([b"a", b"b"], ["yes"]), 4),
    "a number for a flag": pickle.dumps(([b"a", b"b"], [2]), 4),
    "a big number": pickle.dumps(([b"a", b"b"], [2**40]), 4),
    "bytes for a flag": pickle.dumps(([b"a", b"b"], [b"1"]), 4),
    "an empty picture": pickle.dumps(([b"a", b""], [True]), 4),
    "three lists": pickle.dumps(([b"a"], [b"b"], [True]), 4),
    "one list": pickle.dumps([b"a", b"b"], 4),
    "too few pictures": pickle.dumps(([b"a", b"b", b"c"], [True, False]), 4),
    "no pairs": pickle.dumps(([], []), 4),
    "arrays": pickle.dumps(([np.zeros(3, np.uint8)] * 2, [True]), 4),
    "flags of NumPy": pickle.dumps(([b"a", b"b"], [np.True_]), 4),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_anything_else_is_refused_in_a_line(content, tmp_path):
    with pytest.raises(InputError, match=r"no \.bin of insightface") as caught:
        read_bin(written(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_small_file_cannot_fill_the_memory():
    """A text is remembered, and made into bytes ten thousand times."""
    once = b"\x80\x02" + ENCODE + b"q\x00" + text(b"a" * 10**6) + b"q\x01" + LATIN1 + b"q\x02\x86R"
    assert loads_lists(once + b".") == b"a" * 10**6
    with pytest.raises(ValueError, match="harm"):
        loads_lists(once + b"h\x00h\x01h\x02\x86R" * 10**4 + b".")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no file of at most 4 GiB"):
        read_bin(tmp_path)
    with pytest.raises(InputError, match=r"gone\.bin cannot be read"):
        read_bin(tmp_path / "gone.bin")


def test_truncated_anywhere():
    content = pickle.dumps(([b"abc", b"defg"], [True]), 4)
    for end in range(len(content)):
        with pytest.raises(ValueError):
            loads_lists(content[:end])


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_and_random_changes_raise_nothing_but_value_errors(seed):
    """What is read at all is lists of bytes, numbers and truth values: nothing was called."""
    random = np.random.default_rng([12, seed])
    sound = [pickle.dumps((CROPS[:3], GENUINE), protocol) for protocol in (2, 3, 4, 5)]
    sound.append(python2(CROPS[:3], GENUINE))
    for number in range(1500):
        if number % 3 == 0:
            content = b"\x80\x04" + random.bytes(int(random.integers(1, 60)))
        else:
            changed = bytearray(sound[number % len(sound)])
            for _ in range(int(random.integers(1, 4))):
                changed[random.integers(len(changed))] = random.integers(256)
            content = bytes(changed)
        try:
            value = loads_lists(content)
        except ValueError:
            continue
        assert_plain(value)


def assert_plain(value, depth=0):
    if isinstance(value, (list, tuple)) and depth < 5:
        for each in value:
            assert_plain(each, depth + 1)
    else:
        assert isinstance(value, (bytes, bool, int, str, list, tuple)) or type(value) is object
