"""A row of ``images.csv``: what became of one source picture."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from facenet_tf.records import durable

NOT_STORED = -1


@dataclasses.dataclass(frozen=True)
class Row:
    """One source picture; numbers of pixels and confidences as text, empty where there are none.

    Attributes:
        path: key of the picture.
        identity: whom it shows.
        label: the identity's number.
        split: of the identity.
        sha256: of the picture's bytes; empty if it could not be read.
        outcome: what became of it: ok, recovered, repaired and fallback have a record; no_face,
            several_faces, too_small, bad_landmarks, unsure, blurred, too_dark, too_bright, turned,
            tilted, unreadable, not_an_image, too_large, crashed, duplicate and excluded do not.
        detail: the reason in words.
        rung: which attempt of the recovery found the face.
        faces: how many faces the detector found.
        confidence: of the detector in the chosen face.
        box: left, top, width, height in pixels of the picture, separated by spaces.
        landmarks: x and y of the five landmarks in pixels of the picture.
        transform: the six numbers of the 2×3 matrix from picture to crop, row by row.
        rmse: misfit of the landmarks in pixels of a 112×112 crop.
        face_size, sharpness, exposure, yaw, roll: of the chosen face, see
            `facenet_tf.quality.Quality`.
        shard: number of the shard that holds the record, or -1.
        offset: of the record in the shard in bytes, or -1.
        length: of the record's payload in bytes, or 0.
    """

    path: str
    identity: str
    label: int
    split: str
    sha256: str
    outcome: str
    detail: str = ""
    rung: str = ""
    faces: int = 0
    confidence: str = ""
    box: str = ""
    landmarks: str = ""
    transform: str = ""
    rmse: str = ""
    face_size: str = ""
    sharpness: str = ""
    exposure: str = ""
    yaw: str = ""
    roll: str = ""
    shard: int = NOT_STORED
    offset: int = NOT_STORED
    length: int = 0

    @property
    def stored(self) -> bool:
        """Whether the picture gave a record."""
        return self.shard != NOT_STORED


_COLUMNS = [field.name for field in dataclasses.fields(Row)]
_NUMBERS = [field.name for field in dataclasses.fields(Row) if field.type == "int"]
_YOUNGER = {"face_size", "sharpness", "exposure", "yaw", "roll"}
"""Columns that datasets of format 1 may lack."""


def numbers(values: Iterable[float], decimals: int = 3) -> str:
    """Return numbers as the text of one cell."""
    return " ".join(f"{value:.{decimals}f}" for value in values)


def evenly(rows: Sequence[Row], count: int) -> list[Row]:
    """Return at most so many rows, spread over all."""
    count = min(count, len(rows))
    return [rows[int(number)] for number in np.linspace(0, len(rows) - 1, count)]


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write ``images.csv``."""
    text = io.StringIO()
    # Quotes around all text: a bare carriage return in a file name would end the row.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(_COLUMNS)
    writer.writerows(dataclasses.astuple(row) for row in rows)
    durable.write(path, text.getvalue().encode())


def read_rows(path: Path) -> list[Row]:
    """Read what `write_rows` wrote; raises ValueError when it is not that."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        try:
            columns = next(reader, [])
            if columns not in (_COLUMNS, [name for name in _COLUMNS if name not in _YOUNGER]):
                raise ValueError(f"{path} has other columns")
            return [_row(dict(zip(columns, cells, strict=True))) for cells in reader]
        except csv.Error as error:
            raise ValueError(f"{path} is no CSV: {error}") from error


def _row(cells: dict[str, str]) -> Row:
    return Row(**{**cells, **{name: int(cells[name]) for name in _NUMBERS}})  # type: ignore[arg-type]
