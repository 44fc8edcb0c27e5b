"""Lists of pairs in the forms that data sets of faces come with.

| form | known from |
|---|---|
| LFW's own: `NAME 1 2` and `NAME 1 OTHER 2` below a head | LFW, and what follows it |
| two lines for each pair, `PICTURE NUMBER`, 0 for an impostor pair | CALFW, CPLFW |
| one line for each pair, `PICTURE PICTURE 0` (or `-1`) or `1` | AgeDB-30 and others, as text |
| a folder with two numbered lists of pictures and pairs of numbers | CFP |
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from facenet_tf.datasets import lfw
from facenet_tf.datasets.pairs import Pairs, check_two
from facenet_tf.errors import InputError

_FORMS = "give LFW's form, CALFW's two lines for each pair, or lines `PICTURE PICTURE 0` or `1`"


def read_list(path: Path) -> Pairs:
    """Read a file of pairs, whose form is seen from its lines.

    Keys are paths with forward slashes, as the list has them. Only LFW's form has folds.

    Raises:
        InputError: the file is missing, or in none of these forms; with the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): {_FORMS}") from error
    lines = [line.replace(",", " ").split() for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path} is empty: {_FORMS}")
    if len(lines[0]) == 3 and _flag(lines[0][2]) is not None and not lines[0][1].isdecimal():
        return _one_line_each(path, lines)
    if len(lines[0]) == 2 and lines[0][1].isdecimal() and not lines[0][0].isdecimal():
        return _two_lines_each(path, lines)
    if not all(word.isdecimal() for word in lines[0]):
        raise InputError(f"{path}, line 1: neither a pair nor the head of LFW's list: {_FORMS}")
    return lfw.read_pairs(path)


def read_cfp(directory: Path, kind: Literal["FF", "FP"]) -> Pairs:
    """Read the ten folds of CFP: frontal against frontal (FF), or against profile (FP).

    S. Sengupta et al., "Frontal to Profile Face Verification in the Wild", WACV 2016: 350 genuine
    and 350 impostor pairs in each fold.

    Args:
        directory: the folder `Protocol` of the data set, or the one that it is in.
        kind: which pictures are compared.

    Returns:
        Pairs with keys like ``001/frontal/01.jpg``: relative to the folder `Data/Images`.

    Raises:
        InputError: a file is missing, or not in this form.
    """
    inner = directory / "Protocol"
    protocol = inner if inner.is_dir() else directory
    left = _numbered(protocol, "Pair_list_F.txt")
    right = left if kind == "FF" else _numbered(protocol, "Pair_list_P.txt")
    folds = sorted(path for path in (protocol / "Split" / kind).glob("*") if path.is_dir())
    if not folds:
        raise InputError(f"{protocol / 'Split' / kind} has no folds: give the folder of CFP")
    rows: list[tuple[str, str, bool, int]] = []
    for number, folder in enumerate(folds):
        for name, genuine in (("same.txt", True), ("diff.txt", False)):
            pairs = _number_pairs(folder / name)
            try:
                found = [(left[a], right[b], genuine, number) for a, b in pairs]
            except KeyError as error:
                raise InputError(
                    f"{folder / name} names picture {error.args[0]}, which its list lacks: take "
                    "the official files"
                ) from None
            for line, pair in enumerate(found, start=1):
                check_two(folder / name, line, *pair[:2])
            rows += found
    first, second, flags, fold = zip(*rows, strict=True)
    return Pairs(list(first), list(second), np.array(flags, bool), np.array(fold, np.int64))


def _one_line_each(path: Path, lines: Sequence[Sequence[str]]) -> Pairs:
    left, right, genuine = [], [], []
    for number, line in enumerate(lines, start=1):
        flag = _flag(line[2]) if len(line) == 3 else None
        if flag is None:
            raise _not_in_form(path, number, "PICTURE PICTURE 0 or 1")
        left.append(_as_key(line[0]))
        right.append(_as_key(line[1]))
        check_two(path, number, left[-1], right[-1])
        genuine.append(flag)
    return _without_folds(left, right, genuine)


def _two_lines_each(path: Path, lines: Sequence[Sequence[str]]) -> Pairs:
    """The number is 0 for an impostor pair, for a genuine one 1 (CPLFW) or its fold (CALFW)."""
    for number, line in enumerate(lines, start=1):
        if len(line) != 2 or not line[1].isdecimal():
            raise _not_in_form(path, number, "PICTURE NUMBER")
        if number % 2 == 0 and line[1] != lines[number - 2][1]:
            raise _not_in_form(path, number, "the number of the line before, with which it pairs")
    if len(lines) % 2:
        raise _not_in_form(path, len(lines), "a second picture after it")
    left, right = ([_as_key(line[0]) for line in side] for side in (lines[::2], lines[1::2]))
    for pair, (one, other) in enumerate(zip(left, right, strict=True), start=1):
        check_two(path, 2 * pair, one, other)
    return _without_folds(left, right, [int(line[1]) > 0 for line in lines[::2]])


def _without_folds(left: list[str], right: list[str], genuine: list[bool]) -> Pairs:
    return Pairs(left, right, np.array(genuine, bool), np.zeros(len(genuine), np.int64))


def _flag(word: str) -> bool | None:
    return {"0": False, "1": True, "-1": False}.get(word)


def _numbered(protocol: Path, name: str) -> dict[int, str]:
    """Lines `1 ../Data/Images/001/frontal/01.jpg`."""
    path = protocol / name if (protocol / name).is_file() else protocol / "Split" / name
    found = {}
    for number, line in enumerate(_lines(path), start=1):
        words = line.split(maxsplit=1)
        if len(words) != 2 or not words[0].isdecimal():
            raise _not_in_form(path, number, "NUMBER PATH")
        parts = PurePosixPath(_as_key(words[1])).parts
        found[int(words[0])] = "/".join(parts[-3:])
    return found


def _number_pairs(path: Path) -> list[tuple[int, int]]:
    pairs = []
    for number, line in enumerate(_lines(path), start=1):
        words = line.replace(",", " ").split()
        if len(words) != 2 or not all(word.isdecimal() for word in words):
            raise _not_in_form(path, number, "NUMBER,NUMBER")
        pairs.append((int(words[0]), int(words[1])))
    if not pairs:
        raise InputError(f"{path} is empty: take the official file")
    return pairs


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): give the folder of CFP") from error
    return [line for line in text.splitlines() if line.strip()]


def _as_key(word: str) -> str:
    parts = PurePosixPath(word.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in ("/", ".", ".."))


def _not_in_form(path: Path, line: int, wanted: str) -> InputError:
    return InputError(f"{path}, line {line}: expected {wanted}; take the official file")
