"""The command that brings a dataset from a store into a directory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import tyro

from facenet_tf import cli
from facenet_tf.errors import InputError

_DESCRIPTION = (
    "Fetch a dataset that data_prep/build_tfrecords.py --output-url has put into a store. Every "
    "file is checked against its SHA-256; an interrupted copy is continued."
)


@dataclasses.dataclass(frozen=True)
class FetchConfig:
    """What `data_prep/fetch_dataset.py` does."""

    url: tyro.conf.Positional[str] = ""
    """where the dataset is, as fsspec names it (s3://bucket/faces; needs the extra `remote`)"""
    output: Path | None = None
    """directory to write; None: data/NAME, with the last part of the URL"""

    def __post_init__(self) -> None:
        if self.url and "://" not in self.url:
            raise InputError(f"{self.url}: give a URL such as s3://bucket/faces")


def main(argv: Sequence[str]) -> None:
    """Fetch the dataset that the command line names."""
    config = cli.load(FetchConfig, "fetch", argv, _DESCRIPTION)
    if not config.url:
        raise InputError("give the URL of a dataset, such as s3://bucket/faces")
    from facenet_tf.records.fetch import fetch_dataset  # late: --help needs no TensorFlow

    output = config.output or Path("data", config.url.rstrip("/").rpartition("/")[2])
    dataset = fetch_dataset(config.url, output)
    print(f"dataset: {dataset.directory} ({len(dataset)} records)")


def entry() -> NoReturn:
    """Run the command as a program."""
    cli.run(main)
