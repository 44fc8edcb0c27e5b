"""Which code made a run, an evaluation or a benchmark: its commit and the packages' versions."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

_VERSIONED = (
    "facenet-tf",
    "tensorflow",
    "keras",
    "numpy",
    "opencv-python-headless",
    "scikit-learn",
)


def versions() -> dict[str, str]:
    """Versions of what decides the figures."""
    found = {"python": platform.python_version()}
    for package in _VERSIONED:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_revision() -> str:
    """Commit of the checkout this package is run from, ``-dirty`` appended; or ``unknown``."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--match="]
    try:
        described = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip() or "unknown"
