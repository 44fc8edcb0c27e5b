"""``python data_prep/find_duplicates.py``: dataset directory → list of near duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from facenet_tf import cli
from facenet_tf.curation.config import DuplicatesConfig
from facenet_tf.records.exclusions import YES, check_writable, write_list

_DESCRIPTION = (
    "List the near duplicates of a dataset, within a person and across people. "
    "build_tfrecords.py --exclude takes the list after review."
)


def main(argv: Sequence[str]) -> None:
    """Compare all crops of a dataset, write the list and print what is on it."""
    config = cli.load(DuplicatesConfig, "duplicates", argv, _DESCRIPTION)
    config.check()
    check_writable(config.list, config.overwrite)
    from facenet_tf.curation.duplicates import LIST_COLUMNS, list_duplicates, near_records
    from facenet_tf.records.dataset import FaceDataset

    dataset = FaceDataset.open(config.dataset)
    embed = None
    if config.model is not None:
        from facenet_tf.evaluation.systems.networks import load_checked, network_embedder

        embed = network_embedder(load_checked(config.model, dataset))
    pairs = near_records(dataset, config.most, embed, config.batch_size)
    lines = list_duplicates(dataset, pairs, config.across)
    write_list(config.list, LIST_COLUMNS, lines)
    two_people = {line["path"] for line in lines if line["identity"] != line["other_identity"]}
    one_person = {line["path"] for line in lines if line["identity"] == line["other_identity"]}
    excluded = {line["path"] for line in lines if line["exclude"] == YES}
    print(f"{len(one_person)} pictures repeat one of the same person")
    print(f"{len(two_people)} pictures are filed under two people")
    print(f"{len(excluded)} of them are to be excluded")
    print(f"list    {config.list}")


def entry() -> NoReturn:
    """Console entry point."""
    cli.run(main)
