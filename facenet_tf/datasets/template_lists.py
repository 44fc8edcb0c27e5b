"""Templates and pairs of templates, in the forms that IJB-A, B and C come with.

| what | form | file |
|---|---|---|
| who is in a template | `PICTURE TEMPLATE MEDIUM` | `ijbc_face_tid_mid.txt` of insightface |
| | CSV with `TEMPLATE_ID`, `SUBJECT_ID`, `FILENAME` | `ijbc_1N_gallery_G1.csv` … of NIST |
| which are compared | `TEMPLATE TEMPLATE 0` or `1` | `ijbc_template_pair_label.txt` |
| | `TEMPLATE,TEMPLATE` | `ijbc_11_G1_G2_matches.csv` |
| how good a picture is | the picture first, its quality last | `ijbc_name_5pts_score.txt` |
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from facenet_tf.errors import InputError

_SUBJECT, _TEMPLATE, _MEDIA = "SUBJECT_ID", "TEMPLATE_ID", "MEDIA_ID"
_FILES = ("FILENAME", "FILE", "FILE_NAME")


@dataclasses.dataclass(frozen=True)
class Members:
    """N pictures, each in a template; one may be in several.

    Attributes:
        keys: of the pictures, as the file has them.
        template: int64 [N].
        medium: str [N], the photograph or video that it is from.
        subject: whom each template shows; empty where the files do not say.
    """

    keys: list[str]
    template: np.ndarray
    medium: np.ndarray
    subject: dict[int, str]


@dataclasses.dataclass(frozen=True)
class TemplatePairs:
    """N pairs of templates: int64 [N] numbers, bool [N] whether both show one person."""

    left: np.ndarray
    right: np.ndarray
    genuine: np.ndarray


def read_members(paths: Sequence[Path]) -> Members:
    """Read who is in which template, from one file or several.

    Where a CSV names no media, that of a frame is its folder and its name up to the first "_"
    (`frames/12_0034.png` is of the video `frames/12`), and a photograph is one by itself.

    Raises:
        InputError: a file is missing or in none of these forms, or two files say different things
            of one template.
    """
    rows: list[tuple[str, int, str]] = []
    subject: dict[int, str] = {}
    for path in paths:
        lines = list(_rows(path))
        if len(lines[0]) >= 3 and _TEMPLATE in {cell.strip().upper() for cell in lines[0]}:
            found, subjects = _with_head(path, lines)
        else:
            found, subjects = _without_head(path, lines), {}
        for number in subjects.keys() & subject.keys():
            if subjects[number] != subject[number]:
                raise InputError(f"{path}: template {number} shows another subject in another file")
        if not found:
            raise InputError(f"{path} has a head and no pictures: give a list of templates")
        rows += found
        subject.update(subjects)
    keys, template, medium = zip(*rows, strict=True)
    return Members(list(keys), np.array(template, np.int64), np.array(medium, np.str_), subject)


def read_template_pairs(path: Path, members: Members) -> TemplatePairs:
    """Read which templates are compared; without a label in the file, subjects decide.

    Memory: 17 bytes for each pair, of which IJB-C has 15.7 million.

    Raises:
        InputError: the file is missing or not in this form, it names a template that has no
            pictures, or nothing says who is genuine.
    """
    known = set(members.template.tolist())
    left, right, genuine = array("q"), array("q"), array("b")
    for number, line in enumerate(_rows(path), start=1):
        try:
            first, second = int(line[0]), int(line[1])
            label = {"0": False, "1": True}[line[2]] if len(line) > 2 else None
        except (ValueError, IndexError, KeyError):
            raise InputError(
                f"{path}, line {number}: expected TEMPLATE TEMPLATE and 0 or 1"
            ) from None
        for one in (first, second):
            if one not in known:
                raise InputError(f"{path}, line {number}: template {one} has no pictures")
        if label is None:
            try:
                label = members.subject[first] == members.subject[second]
            except KeyError as error:
                raise InputError(
                    f"{path}, line {number}: it has no label, and whom template {error.args[0]} "
                    "shows is not known: give members with SUBJECT_ID"
                ) from None
        left.append(first)
        right.append(second)
        genuine.append(label)
    return TemplatePairs(np.array(left), np.array(right), np.array(genuine, bool))


def read_qualities(path: Path, keys: Iterable[str]) -> np.ndarray:
    """Read a quality for each of these pictures, float64 [N].

    Raises:
        InputError: the file is missing or not in this form, or a picture has none.
    """
    found: dict[str, float] = {}
    for number, line in enumerate(_rows(path), start=1):
        try:
            found[line[0]] = float(line[-1])
        except ValueError:
            if number > 1:  # the first may be a head
                raise InputError(f"{path}, line {number}: {line[-1]!r} is no quality") from None
    qualities = []
    for key in keys:
        value = found.get(key, math.nan)
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{path}: {key} has no quality of 0 or more")
        qualities.append(value)
    return np.array(qualities)


def _without_head(path: Path, lines: list[list[str]]) -> list[tuple[str, int, str]]:
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            key, template, medium = line
            rows.append((key, _template_number(template), medium))
        except ValueError:
            raise InputError(f"{path}, line {number}: expected PICTURE TEMPLATE MEDIUM") from None
    return rows


def _template_number(word: str) -> int:
    """Raises ValueError where it is none that an int64 holds."""
    number = int(word)
    if not 0 <= number < 2**63:
        raise ValueError(word)
    return number


def _with_head(
    path: Path, lines: list[list[str]]
) -> tuple[list[tuple[str, int, str]], dict[int, str]]:
    head = {name.strip().upper(): place for place, name in enumerate(lines[0])}
    file = next((head[name] for name in _FILES if name in head), None)
    if file is None or _SUBJECT not in head:
        raise InputError(f"{path}: its head lacks FILENAME or {_SUBJECT}")
    rows: list[tuple[str, int, str]] = []
    subject: dict[int, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        try:
            key, template = line[file], _template_number(line[head[_TEMPLATE]])
            medium = line[head[_MEDIA]] if _MEDIA in head else _medium(key)
            rows.append((key, template, medium))
            shown = subject.setdefault(template, line[head[_SUBJECT]])
        except (ValueError, IndexError):
            raise InputError(f"{path}, line {number}: it does not fit its head") from None
        if shown != line[head[_SUBJECT]]:
            raise InputError(f"{path}, line {number}: template {template} has two subjects")
    return rows, subject


def _medium(key: str) -> str:
    place = PurePosixPath(key)
    return str(place.parent / place.stem.split("_")[0])


def _rows(path: Path) -> Iterator[list[str]]:
    """Cells of a file with commas, or words of one without, line by line."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            filled = (line for line in file if line.strip())
            first = next(filled, None)
            if first is None:
                raise InputError(f"{path} is empty: give a list of templates")
            lines = itertools.chain([first], filled)
            if "," in first:
                yield from ([cell.strip() for cell in row] for row in csv.reader(lines))
            else:
                yield from map(str.split, lines)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): give a list of templates") from error
