"""The TFRecord container: each payload between its length and checksums.

The format is TensorFlow's (tensorflow/core/lib/io/record_writer.h): uint64 length, masked CRC-32C
of the length, payload, masked CRC-32C of the payload, all little-endian. TensorFlow reads such
files in order only; here records are read where the index says.
"""

from __future__ import annotations

import struct

import google_crc32c

HEADER_SIZE = 12
OVERHEAD = HEADER_SIZE + 4
_MASK_DELTA = 0xA282EAD8


class DamagedRecord(Exception):
    """The bytes are no intact record; the message says what is wrong."""


def frame(payload: bytes) -> bytes:
    """Return a payload as one record of a TFRecord file."""
    length = struct.pack("<Q", len(payload))
    return b"".join((length, _masked_crc(length), payload, _masked_crc(payload)))


def unframe(record: bytes) -> bytes:
    """Return the payload of one record.

    Raises:
        DamagedRecord: the record is cut off, or a checksum does not match.
    """
    if len(record) < OVERHEAD:
        raise DamagedRecord("the file ends within it")
    if record[8:12] != _masked_crc(record[:8]):
        raise DamagedRecord("the checksum of its length does not match")
    (length,) = struct.unpack("<Q", record[:8])
    if length != len(record) - OVERHEAD:
        raise DamagedRecord("its length is not the one in the index")
    payload = record[HEADER_SIZE:-4]
    if record[-4:] != _masked_crc(payload):
        raise DamagedRecord("its checksum does not match")
    return payload


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    masked = ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
    return struct.pack("<I", masked)
