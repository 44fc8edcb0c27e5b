"""Embeddings of any other system, from an .npz or a CSV.

| what | array of the .npz, or column of the CSV |
|---|---|
| embedding | `embeddings`, numbers [N, D]; in a CSV a column for each: e0, e1 … |
| whom it shows | `identities`, or else `labels`, [N] |
| name of the picture | `keys`, [N]; without it the row's number |
| split | `splits`, [N]; without it all are test people |
| quality, larger is better | `quality`, [N], may be missing |

Either may be called by its singular. `embeddings.npz` of an evaluation directory is such a file; it
also has `made`, text that says what made the embeddings (`facenet_tf.evaluation.made`).
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import logging
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.evaluation.made import Made, of_text
from facenet_tf.evaluation.roster import LISTED, NO_RECORD, SEEN, Roster, Vectors
from facenet_tf.metrics import unit_rows
from facenet_tf.records.dataset import SplitName

logger = logging.getLogger(__name__)

SPLITS = (*(name for name in get_args(SplitName) if name != "all"), SEEN, LISTED)
"""Those of datasets, and what an evaluation makes of them: such people have no part again."""
NOT_FINITE, ZERO = "not_finite", "zero_vector"
"""Outcomes of pictures whose embedding is no direction: they count as pictures without a record."""
_MADE = "made"
_SPELLINGS = {
    "key": ("keys", "key"),
    "identity": ("identities", "identity", "labels", "label"),
    "split": ("splits", "split"),
    "quality": ("quality",),
}
_NOBODY = ("", "nan", "None", "<NA>")
"""What a missing identity becomes as text, by hand, NumPy, Python and pandas."""
_MOST_SHOWN = 40
"""Characters of a file's own words in a message."""


@dataclasses.dataclass(frozen=True)
class VectorsFile:
    """What a file holds.

    Attributes:
        vectors: in the order (identity, key), rows of length 1; NaN where the embedding was not
            finite or zero.
        quality: float64 [N] in the same order; None where the file has none.
        made: what made the embeddings; None where the file does not say.
    """

    vectors: Vectors
    quality: NDArray[np.float64] | None
    made: Made | None = None


def read_vectors(path: Path) -> VectorsFile:
    """Read a file.

    Raises:
        InputError: with the first thing that is wrong in it.
    """
    columns = _columns(path, named=True)
    values = columns["embeddings"]
    if "key" not in columns:
        logger.info("%s has no keys: its rows are matched with other files by their place", path)
    keys, identities, splits = _checked_names(path, columns)
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
        read_made(path),
    )


def read_embeddings(path: Path) -> tuple[NDArray[np.float32], NDArray[np.str_] | None]:
    """The embeddings of a file that need not say whom they show.

    Returns:
        Rows of length 1 [M, D], those that were not finite or zero left out, and the M identities;
        None where the file has none.

    Raises:
        InputError: with the first thing that is wrong in it.
    """
    columns = _columns(path, named=False)
    rows, outcomes = usable_rows(columns["embeddings"])
    usable, names = outcomes == "ok", columns.get("identity")
    return rows[usable], None if names is None else names[usable].astype(np.str_)


def read_made(path: Path) -> Made | None:
    """What made the embeddings of a file that can be read; None where it does not say."""
    if path.suffix == ".csv":
        return None
    with np.load(path, allow_pickle=False) as file, contextlib.suppress(ValueError):  # of objects
        return of_text(str(file[_MADE])) if _MADE in file.files else None
    return None


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
    return unit_rows(rows).astype(np.float32), outcomes


def _columns(path: Path, *, named: bool) -> dict[str, NDArray]:
    """`embeddings`, and whatever else of _SPELLINGS a file has.

    Args:
        path: of the file.
        named: whether it has to say whom each row shows.
    """
    columns = (_from_csv if path.suffix == ".csv" else _from_npz)(path, named)
    values = columns["embeddings"]
    if not (np.isfinite(values).all(axis=1) & (values != 0).any(axis=1)).any():
        raise InputError(f"{path}: none of the {len(values)} embeddings is finite and not zero")
    return columns


def _spelt(path: Path, names: Sequence[str], named: bool) -> dict[str, str]:
    """What a file calls each of _SPELLINGS that it has."""
    spelt = {
        column: next(name for name in spellings if name in names)
        for column, spellings in _SPELLINGS.items()
        if not set(spellings).isdisjoint(names)
    }
    if named and "identity" not in spelt:
        wanted = "the column `identity`" if path.suffix == ".csv" else "the array `identities`"
        commas = "; separate columns by commas" if len(names) == 1 else ""
        raise InputError(
            f"{path} does not say whom each row shows: {wanted} is missing (there are: "
            f"{_cut(', '.join(names))}){commas}"
        )
    return spelt


def _log_taken(
    path: Path, values: NDArray, embedding: str, spelt: Mapping[str, str], names: Collection[str]
) -> None:
    """What of a file was taken for what: a name that was not understood would do no harm else."""
    unused = [name for name in names if name not in (*spelt.values(), _MADE)]
    logger.info(
        "%s: %d embeddings of %d numbers (%s); %s; not used: %s",
        *(path, *values.shape, embedding),
        ", ".join(f"{column}: {name}" for column, name in spelt.items()) or "nothing beside them",
        _cut(", ".join(unused)) or "nothing",
    )


def _from_npz(path: Path, named: bool) -> dict[str, NDArray]:
    try:
        file = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: it cannot be read: it is no .npz, or damaged") from error
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise InputError(
            f"{path} is a bare array: write it with np.savez(FILE, embeddings=…, identities=…)"
        )
    with file:
        if "embeddings" not in file.files:
            raise InputError(
                f"{path}: it has no array `embeddings` [pictures, numbers] (there are: "
                f"{_cut(', '.join(file.files))})"
            )
        spelt = _spelt(path, file.files, named)
        values = _matrix(path, _array(path, file, "embeddings"))
        columns = {"embeddings": values}
        for column, name in spelt.items():
            columns[column] = _array(path, file, name)
            if columns[column].shape != values.shape[:1]:
                raise InputError(
                    f"{path}: {len(values)} embeddings, but `{name}` has the shape "
                    f"{list(columns[column].shape)}"
                )
    _log_taken(path, values, "embeddings", spelt, [n for n in file.files if n != "embeddings"])
    if named:
        _check_somebody(path, columns["identity"], lambda row: f"{spelt['identity']}[{row}]")
    return columns


def _array(path: Path, file: Mapping[str, NDArray], name: str) -> NDArray:
    try:
        return file[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path}: the array `{name}` is damaged, or of Python objects, which are not read "
            f"without pickle: save text as {name}.astype(str)"
        ) from error


def _from_csv(path: Path, named: bool) -> dict[str, NDArray]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            head, *lines = [(reader.line_num, cells) for cells in reader if cells] or [(1, [])]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: it cannot be read as CSV ({error})") from error
    names = head[1]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise InputError(f"{path}: the column {_cut(min(repeated))} is there more than once")
    spelt = _spelt(path, names, named)
    others = [name for name in names if not _is_spelling(name)]
    _check_numbered(path, others)
    for number, cells in lines:
        if len(cells) != len(names):
            raise InputError(
                f"{path}, line {number}: {len(cells)} cells, the head has {len(names)}: every "
                "embedding must be of one dimension"
            )
    if not lines:
        raise InputError(f"{path} has no rows below its head")
    at = [number for number, _ in lines]
    table = dict(zip(names, zip(*(cells for _, cells in lines), strict=True), strict=True))
    columns: dict[str, NDArray] = {
        column: np.array(table[name], np.str_) for column, name in spelt.items()
    }
    if "quality" in spelt:
        columns["quality"] = _numbers(path, "quality", table[spelt["quality"]], at)
    numbers = [_numbers(path, name, table[name], at) for name in others]
    columns["embeddings"] = _matrix(path, np.stack(numbers, axis=1))
    shown = f"columns {others[0]} … {others[-1]}"
    _log_taken(path, columns["embeddings"], shown, spelt, [n for n in names if _is_spelling(n)])
    if named:
        _check_somebody(path, columns["identity"], lambda row: f"line {at[row]}")
    return columns


def _is_spelling(name: str) -> bool:
    return any(name in spellings for spellings in _SPELLINGS.values())


def _check_numbered(path: Path, names: Sequence[str]) -> None:
    """A column of another meaning (an index, an age, a class) must not slip into the vectors."""
    stems = {name: re.fullmatch(r"(.*?)[0-9]+", name) for name in names}
    counts = Counter(found[1] for found in stems.values() if found)
    stem = max(counts, key=lambda each: counts[each], default=None)
    odd = [name for name, found in stems.items() if not found or found[1] != stem]
    if odd:
        raise InputError(
            f"{path}: the column `{_cut(odd[0])}` is none of {', '.join(_SPELLINGS)}, and no "
            "number of the embedding, which are named alike and counted (e0, e1, e2 …): rename it, "
            "or take it out"
        )
    if not names:
        raise InputError(f"{path} has no columns of numbers (e0, e1, e2 …): give the embedding's")


def _numbers(path: Path, name: str, cells: Sequence[str], at: Sequence[int]) -> NDArray[np.float64]:
    try:
        return np.array([float(cell or "nan") for cell in cells], np.float64)
    except ValueError:
        row = next(row for row, cell in enumerate(cells) if not _is_number(cell))
        raise InputError(
            f"{path}, line {at[row]}, column {_cut(name)}: {_cut(cells[row])!r} is no number; the "
            f"columns that are none are {', '.join(_SPELLINGS)}"
        ) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _matrix(path: Path, values: NDArray) -> NDArray:
    if values.ndim != 2 or values.dtype.kind not in "fiu" or 0 in values.shape:
        raise InputError(
            f"{path}: embeddings must be numbers [pictures, dimension], not {values.dtype} "
            f"{list(values.shape)}"
        )
    return values


def _check_somebody(path: Path, people: NDArray, place: Callable[[int], str]) -> None:
    """Raises InputError for a row without an identity: all of these would be one person."""
    missing = np.isin(np.char.strip(people.astype(np.str_)), _NOBODY)
    if missing.any():
        raise InputError(
            f"{path}, {place(int(np.argmax(missing)))}: no identity ({int(missing.sum())} such "
            "rows): name the person, or leave the row out"
        )


def _checked_names(path: Path, columns: Mapping[str, NDArray]) -> list[NDArray[np.str_]]:
    """Keys, identities and splits; a file need not have the first and the last."""
    count = len(columns["embeddings"])
    numbered = np.array([f"{row:0{len(str(count))}}" for row in range(count)], np.str_)
    completed = {"key": numbered, "split": np.full(count, "test"), **columns}
    keys, people, splits = (
        completed[name].astype(np.str_) for name in ("key", "identity", "split")
    )
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
    return [keys, people, splits]
