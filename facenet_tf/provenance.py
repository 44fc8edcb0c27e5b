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
    try:
        # Installed inside somebody's own project, the commit would be that project's.
        _git("ls-files", "--error-unmatch", Path(__file__).name)
        return _git("describe", "--always", "--dirty", "--abbrev=12", "--match=") or "unknown"
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    run = subprocess.run(
        ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()
