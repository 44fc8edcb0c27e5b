"""With which code, packages, processor and options of the machine a run is trained, each time that
it is begun or gone on with."""

from __future__ import annotations

import logging
import os
from typing import Any

import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.provenance import git_revision, processor, versions
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.run_directory import OF_THE_MACHINE, RunDirectory, described

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


def kernels() -> dict[str, Any]:
    """What TensorFlow chooses its kernels by: the kind of processor and of GPUs, and switches."""
    gpus = tf.config.list_physical_devices("GPU")
    kinds = {tf.config.experimental.get_device_details(gpu).get("device_name", "") for gpu in gpus}
    return {
        "processor": processor(),
        "gpus": sorted(kinds),
        "tensor_float_32": bool(tf.config.experimental.tensor_float_32_execution_enabled()),
        "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
    }


def check_kernels(run: RunDirectory) -> None:
    """Raise `InputError` if a run would go on with other kernels than it was trained with.

    Only one that is to have the same bits has to ask. What an earlier version did not note is not
    known.
    """
    now = kernels()
    for sitting in run.recorded("sittings") or []:
        others = [
            f"{name} ({sitting[name]} there, {value} now)"
            for name, value in now.items()
            if sitting.get(name, value) != value
        ]
        if others:
            raise InputError(
                f"--resume: with --deterministic the run in {run.path} goes on on the kind of "
                f"machine that it began on alone, not with other {', '.join(others)}: go on "
                "there, or give another --output"
            )


def record_sitting(run: RunDirectory, step: int, config: TrainConfig) -> None:
    """Note in config.json with what this process trains from this step on."""
    options = described(config)
    sitting = {
        "step": step,
        "git_revision": git_revision(),
        "versions": versions(),
        **kernels(),
        "options": {name: options[name] for name in OF_THE_MACHINE},
    }
    run.record(config=options, sittings=[*(run.recorded("sittings") or []), sitting])
