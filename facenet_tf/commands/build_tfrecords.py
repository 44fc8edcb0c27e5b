"""The build command: photographs in, a dataset of face crops out."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from facenet_tf import cli
from facenet_tf.datasets.picture import as_text
from facenet_tf.errors import Interrupted
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.layout import REPORT

_DESCRIPTION = (
    "Find, align and store the faces of a folder of photographs as TFRecords. "
    "Without a directory: the AT&T demonstration faces."
)


def main(argv: Sequence[str]) -> None:
    """Build the dataset that the command line describes and print what became of its pictures."""
    config = cli.load(BuildConfig, "build", argv, _DESCRIPTION)
    try:
        from facenet_tf.records.builder import build_dataset  # late: --help needs no TensorFlow

        dataset = build_dataset(config, isolated=True)
    except KeyboardInterrupt:
        raise Interrupted("interrupted: the same command continues the build") from None
    print(summary(dataset.manifest))
    recipe, _ = cli.split_off_recipe(argv)
    train = [
        "python",
        "train.py",
        str(dataset.directory),
        *(["--config", recipe] if recipe else []),
    ]
    print(as_text(f"\ndataset: {dataset.directory}\nreport:  {dataset.directory / REPORT}"))
    print(as_text(f"next:    {shlex.join(train)}"))


def summary(manifest: dict) -> str:
    """Return a table of outcomes and one of splits."""
    pictures = manifest["pictures"]
    lines = [f"{'outcome':<14}{'pictures':>9}{'share':>9}"]
    outcomes = sorted(manifest["outcomes"].items(), key=lambda item: -item[1])
    lines += [f"{name:<14}{count:>9}{count / pictures:>9.2%}" for name, count in outcomes]
    lines += [f"{'all':<14}{pictures:>9}", "", f"{'split':<14}{'people':>9}{'records':>9}"]
    for name, split in manifest["splits"].items():
        lines.append(f"{name:<14}{split['identities']:>9}{split['records']:>9}")
    if manifest["singletons"]:
        lines.append(f"{manifest['singletons']} people have a single record")
    return "\n".join(lines)


def entry() -> None:
    """Run the command as a program."""
    cli.run(main)
