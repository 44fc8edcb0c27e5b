"""By which code and which packages a run is trained, each time that it is begun or gone on with."""

from __future__ import annotations

import logging

from facenet_tf.errors import InputError
from facenet_tf.provenance import git_revision, versions
from facenet_tf.training.run_directory import RunDirectory

logger = logging.getLogger(__name__)

# Other versions of these compute other bits.
_DECISIVE = ("tensorflow", "keras", "numpy", "opencv-python-headless")


def check_sitting(run: RunDirectory, deterministic: bool) -> None:
    """Warn where a run goes on with another commit, or other versions, than it began with.

    Raises:
        InputError: `deterministic`, and a version differs that the bits hang on.
    """
    began, now = run.recorded("versions") or {}, versions()
    others = {
        name: f"{name} ({there} there, {now.get(name, 'none')} now)"
        for name, there in began.items()
        if there != now.get(name)
    }
    decisive = [told for name, told in others.items() if name in _DECISIVE]
    if deterministic and decisive:
        raise InputError(
            f"--resume: with --deterministic the run in {run.path} goes on with the versions that "
            f"it began with alone, not with other {', '.join(decisive)}: install those, or give "
            "another --output"
        )
    commits = run.recorded("git_revision"), git_revision()
    if commits[0] and commits[0] != commits[1]:
        others["commit"] = f"commit ({commits[0]} there, {commits[1]} now)"
    if others:
        logger.warning(
            "the run in %s began with other versions: %s; it is not one that a single program made",
            run.path,
            ", ".join(others.values()),
        )


def record_sitting(run: RunDirectory, step: int) -> None:
    """Add to config.json that commit and versions of this process train from this step on."""
    sitting = {"step": step, "git_revision": git_revision(), "versions": versions()}
    run.record(sittings=[*(run.recorded("sittings") or []), sitting])
