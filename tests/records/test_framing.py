import pytest
import tensorflow as tf

from facenet_tf.records.framing import DamagedRecord, frame, unframe

PAYLOADS = [b"", b"x", bytes(range(256)) * 50]


def test_same_bytes_as_tensorflow(tmp_path):
    path = str(tmp_path / "file")
    with tf.io.TFRecordWriter(path) as writer:
        for payload in PAYLOADS:
            writer.write(payload)
    assert b"".join(map(frame, PAYLOADS)) == (tmp_path / "file").read_bytes()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_round_trip(payload):
    assert unframe(frame(payload)) == payload


@pytest.mark.parametrize(
    ("position", "problem"),
    [(0, "length"), (9, "length"), (12, "its checksum"), (-1, "its checksum")],
)
def test_flipped_bit(position, problem):
    record = bytearray(frame(b"payload"))
    record[position] ^= 4
    with pytest.raises(DamagedRecord, match=problem):
        unframe(bytes(record))


def test_cut_off():
    with pytest.raises(DamagedRecord, match="ends within"):
        unframe(frame(b"")[:-1])
    with pytest.raises(DamagedRecord, match="length is not"):
        unframe(frame(b"payload")[:-1])
