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

_CODE = (":(top)*.py", ":(top)*.jinja", ":(top)*.cfg")


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
    """Commit of the checkout this package is run from; or ``unknown``.

    ``-dirty`` is appended where its code differs from that commit; documents and figures are none.
    """
    try:
        # Installed inside somebody's own project, the commit would be that project's.
        _git("ls-files", "--error-unmatch", Path(__file__).name)
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *_CODE)
        return f"{commit}-dirty" if changed else commit
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    run = subprocess.run(
        ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()
