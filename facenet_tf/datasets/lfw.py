"""Labeled Faces in the Wild: its pictures and the official files of its protocol.

G. B. Huang, M. Ramesh, T. Berg, E. Learned-Miller, "Labeled Faces in the Wild", Technical Report
07-49, University of Massachusetts, Amherst, 2007. View 1 (development) has disjoint training and
test people; View 2 (the reported figure) has ten folds of people and of pairs.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from facenet_tf.datasets.folder import list_pictures as list_folder
from facenet_tf.datasets.pairs import Pairs, check_two
from facenet_tf.datasets.picture import Listing
from facenet_tf.errors import InputError

logger = logging.getLogger(__name__)

# What each view is read from: of the files in one line any is enough.
_FILES = {
    "lfw_view1": [
        ("peopleDevTrain.txt", "pairsDevTrain.txt"),
        ("peopleDevTest.txt", "pairsDevTest.txt"),
    ],
    "lfw_view2": [("people.txt", "pairs.txt")],
}


def list_pictures(root: Path | None, data_home: Path | None = None) -> Listing:
    """Return the pictures of LFW with keys ``NAME/NAME_0001.jpg``.

    Args:
        root: the folder of people; without one, scikit-learn's copy is read (see `funneled`).
        data_home: scikit-learn's data directory, only used without a root.

    Raises:
        InputError: no such folder, no pictures in it, or the download failed.
    """
    return list_folder(root or funneled(data_home))


def funneled(data_home: Path | None = None) -> Path:
    """Return scikit-learn's folder of the funneled pictures, downloading it when it is missing.

    Raises:
        InputError: the download failed or stopped half-way.
    """
    from sklearn.datasets import fetch_lfw_people, get_data_home

    lfw_home = Path(get_data_home(data_home), "lfw_home")
    folder = lfw_home / "lfw_funneled"
    if not folder.is_dir():
        logger.info("downloading LFW (about 200 MB) into %s", lfw_home)
        try:
            # A high minimum, since only the download is wanted: it loads one person's pictures.
            fetch_lfw_people(data_home=data_home, funneled=True, min_faces_per_person=500)
        except OSError as error:
            raise InputError(
                f"LFW could not be downloaded to {lfw_home} ({error}): give its folder instead"
            ) from error
    if (lfw_home / "lfw-funneled.tgz").exists():  # scikit-learn removes it after unpacking
        raise InputError(f"{folder} is incomplete, its unpacking was interrupted: remove it")
    return folder


def read_people(path: Path) -> list[dict[str, int]]:
    """Return the sets of a people file: name → number of pictures, one dict per fold.

    ``people.txt`` has ten sets, ``peopleDevTrain.txt`` and ``peopleDevTest.txt`` one.

    Raises:
        InputError: the file is missing or is not in this format.
    """
    lines = _lines(path)
    try:
        several = len(lines[1]) == 1
        folds, at = (int(lines[0][0]), 1) if several else (1, 0)
        sets = []
        for _ in range(folds):
            count = int(lines[at][0])
            rows = lines[at + 1 : at + 1 + count]
            sets.append({name: int(pictures) for name, pictures in rows})
            at += 1 + count
            if len(sets[-1]) != count:
                raise ValueError
    except (ValueError, IndexError):
        raise InputError(f"{path} is not a people file of LFW: take the official one") from None
    return sets


def read_pairs(path: Path) -> Pairs:
    """Return the pairs of ``pairs.txt`` (ten folds), ``pairsDevTrain.txt`` or ``…DevTest.txt``.

    Raises:
        InputError: the file is missing or is not in this format.
    """
    head, *lines = _lines(path) or [[]]
    counts = [int(word) if word.isdecimal() else 0 for word in head]
    if len(counts) not in (1, 2) or 0 in counts:
        raise InputError(
            f"{path} is not a pairs file of LFW: its first line gives the folds, where there are "
            "some, and the pairs of each kind"
        )
    folds, per_class = (1, *counts)[-2:]
    if len(lines) != 2 * folds * per_class:
        raise InputError(
            f"{path} is not a pairs file of LFW: its head gives {folds} folds of {per_class} "
            f"genuine and as many impostor pairs, and {len(lines)} pairs follow"
        )
    left, right = [], []
    genuine = np.tile(np.repeat([True, False], per_class), folds)
    for number, (line, same) in enumerate(zip(lines, genuine, strict=True), start=2):
        pair = _pair(line, same)
        if pair is None:
            raise InputError(
                f"{path}, line {number}: LFW's form has a pair of "
                + ("one person, `NAME 1 2`, here" if same else "two people, `NAME 1 OTHER 2`, here")
            )
        check_two(path, number, *pair)
        left.append(pair[0])
        right.append(pair[1])
    fold = np.repeat(np.arange(folds, dtype=np.int64), 2 * per_class)
    return Pairs(left, right, genuine, fold)


def _pair(words: list[str], genuine: bool) -> tuple[str, str] | None:
    """The two keys of a line, or None if it is not in this form."""
    match words:
        case [name, number, other_number] if genuine:
            other = name
        case [name, number, other, other_number] if not genuine:
            pass
        case _:
            return None
    if not (number.isdecimal() and other_number.isdecimal()):
        return None
    return _key(name, number), _key(other, other_number)


def view1(directory: Path) -> dict[str, str]:
    """Return name → ``"train"`` or ``"test"`` of View 1.

    From the people files; scikit-learn does not download these, so that without them the people
    are those of the pair files, and others belong to neither side.

    Raises:
        InputError: the directory has neither kind of file.
    """
    sides = {}
    for side, name in (("test", "DevTest"), ("train", "DevTrain")):
        people, pairs = directory / f"people{name}.txt", directory / f"pairs{name}.txt"
        names = read_people(people)[0] if people.is_file() else _people_of(read_pairs(pairs))
        sides.update(dict.fromkeys(names, side))
    return sides


def view2_folds(directory: Path) -> dict[str, int]:
    """Return name → fold (0 … 9) of View 2, from ``people.txt`` or else the people of the pairs.

    Raises:
        InputError: the directory has neither file.
    """
    people = directory / "people.txt"
    if people.is_file():
        sets = [list(names) for names in read_people(people)]
        return {name: fold for fold, names in enumerate(sets) for name in names}
    pairs = read_pairs(directory / "pairs.txt")
    keys = zip([*pairs.left, *pairs.right], [*pairs.fold, *pairs.fold], strict=True)
    return {key.split("/")[0]: int(fold) for key, fold in keys}


def missing_files(directory: Path, view: str) -> list[str]:
    """Return what a directory lacks to read ``"lfw_view1"`` or ``"lfw_view2"`` from it."""
    return [
        " or ".join(names)
        for names in _FILES[view]
        if not any((directory / name).is_file() for name in names)
    ]


def protocol_directory(root: Path) -> Path | None:
    """Return where the protocol files lie: in the folder of people, or beside it."""
    known = [name for view in _FILES.values() for names in view for name in names]
    for directory in (root, root.parent):
        if any((directory / name).is_file() for name in known):
            return directory
    return None


def _people_of(pairs: Pairs) -> list[str]:
    return [key.split("/")[0] for key in (*pairs.left, *pairs.right)]


def _key(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}.jpg"


def _lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): take LFW's official file") from error
    return [line.split() for line in text.splitlines() if line.strip()]
