"""Embeddings of any other system, from an .npz or a CSV.

| what | array of the .npz | column of the CSV |
|---|---|---|
| embedding | `embeddings`, numbers [N, D] | all columns not named below, in their order |
| whom it shows | `identities` or `labels`, [N] | `identity` |
| name of the picture | `keys`, [N]; without it the row's number | `key` |
| split | `splits`, [N]; without it all are test people | `split` |
| quality, larger is better | `quality`, [N], may be missing | `quality` |

`embeddings.npz` of an evaluation directory is such a file.
"""

from __future__ import annotations

import csv
import dataclasses
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.evaluation.roster import LISTED, NO_RECORD, SEEN, Roster, Vectors
from facenet_tf.records.dataset import SplitName

SPLITS = (*(name for name in get_args(SplitName) if name != "all"), SEEN, LISTED)
"""Those of datasets, and what an evaluation makes of them: such people have no part again."""
NOT_FINITE, ZERO = "not_finite", "zero_vector"
"""Outcomes of pictures whose embedding is no direction: they count as pictures without a record."""
_NAMED = ("key", "identity", "split", "quality")


@dataclasses.dataclass(frozen=True)
class VectorsFile:
    """What a file holds.

    Attributes:
        vectors: in the order (identity, key), rows of length 1; NaN where the embedding was not
            finite or zero.
        quality: float64 [N] in the same order; None where the file has none.
    """

    vectors: Vectors
    quality: NDArray[np.float64] | None


def read_vectors(path: Path) -> VectorsFile:
    """Read a file.

    Raises:
        InputError: with the first thing that is wrong in it.
    """
    columns = _completed(path, _columns(path))
    values = _checked(path, columns)
    _check_names(path, columns)
    keys, identities, splits = (columns[name].astype(np.str_) for name in _NAMED[:3])
    order = np.lexsort([keys, identities])
    rows, outcomes = usable_rows(values)
    roster = Roster(
        keys=keys,
        identities=identities,
        splits=splits,
        outcomes=outcomes,
        records=np.where(outcomes == "ok", np.arange(len(rows)), NO_RECORD).astype(np.int64),
        duplicate=np.zeros(len(rows), bool),
    )
    quality = columns.get("quality")
    return VectorsFile(
        Vectors(roster, rows).where(order),
        None if quality is None else np.asarray(quality, np.float64)[order],
    )


def read_embeddings(path: Path) -> tuple[NDArray[np.float32], NDArray[np.str_] | None]:
    """The embeddings of a file that need not say whom they show.

    Returns:
        Rows of length 1 [M, D], those that were not finite or zero left out, and the M identities;
        None where the file has none.

    Raises:
        InputError: with the first thing that is wrong in it.
    """
    columns = _columns(path)
    rows, outcomes = usable_rows(_checked(path, columns))
    usable, names = outcomes == "ok", columns.get("identity")
    return rows[usable], None if names is None else names[usable].astype(np.str_)


def usable_rows(values: NDArray) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Rows of length 1, and what became of each: "ok", or NOT_FINITE or ZERO and a row of NaN."""
    rows = np.asarray(values, np.float64)
    finite = np.isfinite(rows).all(axis=1)
    # Scaled by the largest number first: squares of 1e200 would overflow.
    largest = np.where(finite, np.abs(rows).max(axis=1, initial=0), 1)
    outcomes = np.where(finite, np.where(largest > 0, "ok", ZERO), NOT_FINITE)
    rows = (
        np.where(outcomes[:, None] == "ok", rows, np.nan) / np.where(largest, largest, 1)[:, None]
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), outcomes


def _columns(path: Path) -> dict[str, NDArray]:
    return _from_csv(path) if path.suffix == ".csv" else _from_npz(path)


def _from_npz(path: Path) -> dict[str, NDArray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise InputError(f"{path}: it cannot be read as .npz without pickle ({error})") from error
    if "embeddings" not in arrays:
        raise InputError(f"{path}: it has no array `embeddings` [pictures, numbers]")
    names = {"key": ("keys",), "identity": ("identities", "labels"), "split": ("splits",)}
    columns = {"embeddings": arrays["embeddings"]}
    for column, known in {**names, "quality": ("quality",)}.items():
        found = next((arrays[name] for name in known if name in arrays), None)
        if found is not None:
            columns[column] = found
    return columns


def _from_csv(path: Path) -> dict[str, NDArray]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head, *lines = [*csv.reader(file)] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: it cannot be read as CSV ({error})") from error
    repeated = {name for name in head if head.count(name) > 1}
    if repeated:
        raise InputError(f"{path}: the column {min(repeated)} is there more than once")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(head):
            raise InputError(
                f"{path}, line {number}: {len(line)} cells, the head has {len(head)}: every "
                "embedding must be of one dimension"
            )
    places = {name: place for place, name in enumerate(head)}
    numbers = [name for name in head if name not in _NAMED]
    table = {name: [line[place] for line in lines] for name, place in places.items()}
    columns: dict[str, NDArray] = {
        name: np.array(table[name], np.str_) for name in _NAMED[:3] if name in places
    }
    if "quality" in places:
        columns["quality"] = _numbers(path, "quality", table["quality"])
    values = [_numbers(path, name, table[name]) for name in numbers]
    columns["embeddings"] = np.stack(values, axis=1) if values else np.empty((len(lines), 0))
    return columns


def _numbers(path: Path, name: str, cells: list[str]) -> NDArray[np.float64]:
    try:
        return np.array([float(cell or "nan") for cell in cells], np.float64)
    except ValueError:
        line = next(number for number, cell in enumerate(cells) if not _is_number(cell))
        raise InputError(
            f"{path}, line {line + 2}, column {name}: {cells[line]!r} is no number; the columns "
            f"that are none are {', '.join(_NAMED)}"
        ) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _completed(path: Path, columns: dict[str, NDArray]) -> dict[str, NDArray]:
    """The columns with keys and splits, which a file need not have."""
    if "identity" not in columns:
        csv_file = path.suffix == ".csv"
        wanted = "a column `identity`" if csv_file else "an array `identities` or `labels`"
        raise InputError(f"{path}: it does not say whom each row shows: {wanted} is missing")
    count = len(columns["embeddings"])
    numbered = np.array([f"{row:0{len(str(count))}}" for row in range(count)], np.str_)
    return {"key": numbered, "split": np.full(count, "test"), **columns}


def _checked(path: Path, columns: Mapping[str, NDArray]) -> NDArray:
    values = columns["embeddings"]
    if values.ndim != 2 or values.dtype.kind not in "fiu" or 0 in values.shape:
        raise InputError(
            f"{path}: embeddings must be numbers [pictures, dimension], not {values.dtype} "
            f"{list(values.shape)}"
        )
    for name, column in columns.items():
        if name != "embeddings" and column.shape != values.shape[:1]:
            raise InputError(
                f"{path}: {len(values)} embeddings, but {name} has the shape {list(column.shape)}"
            )
    if not (np.isfinite(values).all(axis=1) & (values != 0).any(axis=1)).any():
        raise InputError(f"{path}: none of the {len(values)} embeddings is finite and not zero")
    return values


def _check_names(path: Path, columns: Mapping[str, Any]) -> None:
    keys, people, splits = (columns[name].astype(np.str_) for name in _NAMED[:3])
    unique, counts = np.unique(keys, return_counts=True)
    if counts.max() > 1:
        raise InputError(
            f"{path}: {int((counts > 1).sum())} keys are there more than once (first: "
            f"{unique[counts.argmax()]}): a picture has one embedding"
        )
    odd = sorted(set(splits.tolist()) - set(SPLITS))
    if odd:
        raise InputError(f"{path}: there is no split {odd[0]!r}: give {', '.join(SPLITS)}")
    torn = np.unique(np.stack([people, splits]), axis=1)[0]
    names, times = np.unique(torn, return_counts=True)
    if times.max() > 1:
        raise InputError(
            f"{path}: {names[times.argmax()]} is in more than one split: a person belongs to one"
        )
    if len(np.unique(people[splits == "test"])) == 1:
        raise InputError(
            f"{path}: all embeddings of the split test are of one person: nobody to tell apart"
        )
