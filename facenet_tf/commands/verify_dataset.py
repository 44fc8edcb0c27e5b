"""The command that checks a dataset against its hashes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import tyro

from facenet_tf import cli
from facenet_tf.errors import InputError

_DESCRIPTION = (
    "Check a dataset directory: the SHA-256 of every file, the checksum of every record, and its "
    "fields against images.csv and the index. Exit code 0: all is as it was built; 2: it is not."
)
_SHOWN = 20


@dataclasses.dataclass(frozen=True)
class VerifyConfig:
    """What `data_prep/verify_dataset.py` does."""

    dataset: tyro.conf.Positional[Path] = Path("data/att")
    """dataset directory to check"""


def main(argv: Sequence[str]) -> None:
    """Check the dataset that the command line names and print a table of its files."""
    config = cli.load(VerifyConfig, "verify", argv, _DESCRIPTION)
    from tqdm import tqdm

    from facenet_tf.records.verify import Verification  # late: --help needs no TensorFlow

    verification = Verification(config.dataset)
    found = {"tables": list(verification.tables())}
    shards = verification.shards
    for number in tqdm(range(len(shards)), "verifying", unit="shard"):
        found[shards[number]["file"]] = list(verification.shard(number))
    print(summary(shards, found))
    damaged = sum(map(bool, found.values()))
    if damaged:
        raise InputError(
            f"{config.dataset}: {sum(map(len, found.values()))} problems in {damaged} of "
            f"{len(found)} parts; build it again with --overwrite, or take it from a copy"
        )


def summary(shards: Sequence[dict], found: dict[str, list[str]]) -> str:
    """Return a table of parts and problems, then the first problems in words."""
    lines = [f"{'part':<34}{'records':>9}{'bytes':>13}{'problems':>10}"]
    rows = {shard["file"]: (shard["records"], shard["bytes"]) for shard in shards}
    good = [shard for shard in shards if not found[shard["file"]]]
    records, size = sum(shard["records"] for shard in good), sum(shard["bytes"] for shard in good)
    lines.append(f"{f'{len(good)} intact shards':<34}{records:>9}{size:>13}{0:>10}")
    for part, problems in found.items():
        if part == "tables":
            lines.append(f"{'manifest, tables and report':<34}{'':>9}{'':>13}{len(problems):>10}")
        elif problems:
            lines.append(f"{part:<34}{rows[part][0]:>9}{rows[part][1]:>13}{len(problems):>10}")
    told = [problem for problems in found.values() for problem in problems]
    if told:
        lines += ["", *told[:_SHOWN]]
    if len(told) > _SHOWN:
        lines.append(f"… and {len(told) - _SHOWN} more")
    return "\n".join(lines)


def entry() -> NoReturn:
    """Run the command as a program."""
    cli.run(main)
