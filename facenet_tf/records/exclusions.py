"""Lists of pictures to leave out: written by the passes over a dataset, reviewed, read by a build.

A list is a CSV file with the columns ``exclude`` (yes or no), ``path`` (key of the picture) and
``reason``; others are for the reader. Whoever reviews it turns a yes into a no, or the reverse.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from facenet_tf.errors import InputError
from facenet_tf.records import durable

COLUMNS = ("exclude", "path", "reason")
YES, NO = "yes", "no"


def write_list(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a list whole or not at all.

    Args:
        path: the file; its directory is made.
        columns: those of `COLUMNS` and further ones, in the order of the file.
        rows: column → value.

    Raises:
        InputError: the file cannot be written.
    """
    text = io.StringIO()
    # Quotes around all text: a bare carriage return in a file name would end the row.
    writer = csv.DictWriter(text, columns, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    writer.writerows(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, text.getvalue().encode())
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})") from error


def check_writable(path: Path, overwrite: bool) -> None:
    """Refuse to replace a list, which somebody may have reviewed.

    Raises:
        InputError: it exists and `overwrite` is not set.
    """
    if os.path.lexists(path) and not overwrite:
        raise InputError(f"{path} exists and may have been reviewed: --overwrite replaces it")


def read_exclusions(paths: Iterable[Path]) -> dict[str, str]:
    """Key → reason of every picture that a row with "yes" names; of several reasons the first.

    Raises:
        InputError: a list is missing, is no such list, or says neither yes nor no.
    """
    excluded: dict[str, str] = {}
    for path in paths:
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.DictReader(file)
                missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
                if missing:
                    raise InputError(f"--exclude {path}: it has no column {missing[0]!r}")
                for row in reader:
                    verdict = (row["exclude"] or "").strip().lower()
                    if verdict not in (YES, NO):
                        raise InputError(
                            f"--exclude {path}, line {reader.line_num}: exclude is {verdict!r}, "
                            "write yes or no"
                        )
                    if verdict == YES:
                        excluded.setdefault(row["path"], row["reason"] or f"listed in {path.name}")
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"--exclude {path} cannot be read: {error}") from error
    return excluded
