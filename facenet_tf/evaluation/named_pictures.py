"""Pictures that a list names, found in a dataset that was built from another folder than it means.

Lists name pictures from where their makers had them: `Data/Images/001/frontal/01.jpg`, or, all in
one folder, `Abel_Pacheco_0001.jpg`. A dataset names them from the folder it was built from.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from facenet_tf.evaluation.roster import Roster


def rows_of_named(roster: Roster, keys: Sequence[str]) -> NDArray[np.int64]:
    """Row of each named picture: that of the same key, or else the only one of which one path is
    the end of the other; −1 where there is none, or several."""
    rows = roster.rows_of(keys)
    missing = np.flatnonzero(rows < 0)
    if not len(missing):
        return rows
    by_file = defaultdict(list)
    for row, key in enumerate(roster.keys):
        parts = PurePosixPath(str(key)).parts
        by_file[parts[-1]].append((parts, row))
    found: dict[str, int] = {}
    for place in missing.tolist():
        key = keys[place]
        if key not in found:
            parts = PurePosixPath(key).parts
            found[key] = _only(parts, by_file.get(parts[-1] if parts else "", []))
        rows[place] = found[key]
    return rows


def _only(parts: tuple[str, ...], candidates: list[tuple[tuple[str, ...], int]]) -> int:
    fitting = [
        row
        for other, row in candidates
        if (shared := min(len(parts), len(other))) and other[-shared:] == parts[-shared:]
    ]
    return fitting[0] if len(fitting) == 1 else -1
