"""The files of a dataset directory, and how one record is read from it."""

from __future__ import annotations

from typing import BinaryIO

from facenet_tf.records import framing

FORMAT = 1
"""Raised whenever older readers would misread a dataset."""
MANIFEST, ROWS, INDEX, CONTACT_SHEET = "dataset.json", "images.csv", "index.npy", "recovered.png"
REPORT = "report.html"
SHARD, OFFSET, LENGTH, LABEL, SOURCE, ROW = range(6)
"""Columns of the index: shard number, offset of the framed record in bytes, length of its payload,
label, source (equal for records made from the same bytes), row of the picture in ``images.csv``."""


def shard_name(number: int, count: int) -> str:
    """Return the file name of a shard."""
    return f"shard-{number:05d}-of-{count:05d}.tfrecord"


def read_payload(file: BinaryIO, offset: int, length: int) -> bytes:
    """Return the payload of a record in an open shard, its checksums verified.

    Args:
        file: the shard, best without a buffer.
        offset: of the framed record, in bytes.
        length: of the payload, in bytes.

    Raises:
        DamagedRecord: there is no such record, or not as it was written.
    """
    file.seek(offset)
    record = file.read(length + framing.OVERHEAD)
    if len(record) < length + framing.OVERHEAD:
        raise framing.DamagedRecord("the file ends within it")
    return framing.unframe(record)
