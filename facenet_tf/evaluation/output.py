"""The evaluation directory: appears whole, and keeps nothing of an earlier evaluation."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from facenet_tf.errors import InputError

FIGURES = "evaluation.json"
REPORT = "report.html"
EMBEDDINGS = "embeddings.npz"
_SCRATCH = ".partial"


@contextlib.contextmanager
def written_whole(path: Path, files: Iterable[str] = ()) -> Iterator[Path]:
    """A directory to write an evaluation in, whose files take their places at the end.

    Args:
        path: of the evaluation.
        files: names of all files and directories that an evaluation may leave beside its own three.

    After an error the directory holds what it held before. evaluation.json goes first and comes
    last: where it stands, the other files are of the same evaluation.

    Raises:
        InputError: the directory cannot be written.
    """
    scratch = path / _SCRATCH
    try:
        if scratch.exists():
            shutil.rmtree(scratch)  # of an evaluation that was killed
        scratch.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"--output {path}: {error.strerror}; give another directory") from error
    try:
        yield scratch
        for name in (FIGURES, REPORT, EMBEDDINGS, *files):
            _remove(path / name)
        for file in sorted(scratch.iterdir(), key=lambda file: file.name == FIGURES):
            file.replace(path / file.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
