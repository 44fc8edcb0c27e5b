"""``python data_prep/check_overlap.py``: two dataset directories → what they share, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from facenet_tf import cli
from facenet_tf.curation.config import OverlapConfig
from facenet_tf.errors import InputError
from facenet_tf.records import durable

_DESCRIPTION = (
    "List the people and pictures that two datasets share, so that nobody is tested on who was "
    "trained on. Finding some is no failure: the counts are in the JSON."
)


def main(argv: Sequence[str]) -> None:
    """Compare two datasets, write the JSON and print the counts."""
    config = cli.load(OverlapConfig, "overlap", argv, _DESCRIPTION)
    config.check()
    from facenet_tf.curation.overlap import find_overlap
    from facenet_tf.records.dataset import FaceDataset

    first, second = (FaceDataset.open(directory) for directory in config.directories)
    embed = None
    if config.model is not None:
        from facenet_tf.evaluation.systems.networks import load_checked, network_embedder
        from facenet_tf.pretrained.saved import check_crops

        model = load_checked(config.model, first)
        check_crops(model, config.model / "model.keras", second)
        embed = network_embedder(model)
    found = find_overlap(first, second, config, embed)
    try:
        config.result.parent.mkdir(parents=True, exist_ok=True)
        durable.write_json(config.result, found)
    except OSError as error:
        raise InputError(f"--output {config.result}: {error.strerror}") from error
    for name, count in found["counts"].items():
        print(f"{name:<16}{count:>9}")
    print(f"JSON    {config.result}")


def entry() -> NoReturn:
    """Console entry point."""
    cli.run(main)
