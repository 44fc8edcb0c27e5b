"""With which code, packages, processor and options of the machine a run is trained, each time that
it is begun or gone on with."""

from __future__ import annotations

import logging

from facenet_tf.errors import InputError
from facenet_tf.provenance import git_revision, processor, versions
from facenet_tf.training.run_directory import OF_THE_MACHINE, RunDirectory

logger = logging.getLogger(__name__)

# Other versions of these compute other bits.
_DECISIVE = ("tensorflow", "keras", "numpy", "scipy", "opencv-python-headless")


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


def check_processor(run: RunDirectory) -> None:
    """Raise `InputError` if a run goes on on another kind of processor than it was trained on.

    Libraries choose their kernels by it: only a run that is to have the same bits has to ask. One
    that began with an earlier version did not note it.
    """
    sittings, now = run.recorded("sittings") or [], processor()
    for there in [sitting["processor"] for sitting in sittings if "processor" in sitting]:
        if there != now:
            raise InputError(
                f"--resume: with --deterministic the run in {run.path} goes on on the kind of "
                f"processor that it began on alone ({there} there, {now} now): go on there, or "
                "give another --output"
            )


def record_sitting(run: RunDirectory, step: int) -> None:
    """Add to config.json with what this process trains from this step on."""
    config = run.recorded("config")
    sitting = {
        "step": step,
        "git_revision": git_revision(),
        "versions": versions(),
        "processor": processor(),
        "options": {name: config[name] for name in OF_THE_MACHINE if name in config},
    }
    run.record(sittings=[*(run.recorded("sittings") or []), sitting])
