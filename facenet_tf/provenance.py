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
    "scipy",
    "opencv-python-headless",
    "scikit-learn",
)

# What /proc/cpuinfo calls the processor, and what it can do; the latter on x86 and on ARM.
_NAME, _ABILITIES = "model name", ("flags", "Features")

# Of what it can do, that by which libraries choose their kernels.
_VECTORS = ("sse4", "avx", "fma", "amx", "asimd", "sve")

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


def processor() -> str:
    """Kind of the processor: its name, as far as it is known, and its vector instructions.

    Virtual machines call processors of several kinds by one name.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        lines = []
    parts = (line.partition(":") for line in lines)
    told = {name.strip(): value.strip() for name, _, value in parts}
    name = told.get(_NAME) or platform.processor() or platform.machine()
    able = " ".join(told.get(ability, "") for ability in _ABILITIES).split()
    vectors = sorted(ability for ability in able if ability.startswith(_VECTORS))
    return f"{name} ({' '.join(vectors)})" if vectors else name


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
