"""``python data_prep/clean_labels.py``: dataset and run directory → list of doubtful labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from facenet_tf import cli
from facenet_tf.curation.config import LabelsConfig
from facenet_tf.records.exclusions import check_writable

_DESCRIPTION = (
    "List the pictures of a dataset that lie with somebody else by a model's embeddings, with "
    "contact sheets. build_tfrecords.py --exclude takes the list after review."
)


def main(argv: Sequence[str]) -> None:
    """Judge the labels, write list and sheets, and print what was found."""
    config = cli.load(LabelsConfig, "labels", argv, _DESCRIPTION)
    config.check()
    check_writable(config.list, config.overwrite)
    from facenet_tf.curation.labels import require_cleanlab

    require_cleanlab()  # before TensorFlow is imported, which takes seconds
    from facenet_tf.curation.cleaning import clean_labels
    from facenet_tf.evaluation.systems.networks import load_checked, network_embedder
    from facenet_tf.records.dataset import FaceDataset

    dataset = FaceDataset.open(config.dataset)
    embed = network_embedder(load_checked(config.model, dataset))
    figures = clean_labels(dataset, embed, config)
    print(
        f"{figures['flagged']} of {figures['pictures']} pictures are doubted, of "
        f"{figures['people_flagged']} of {figures['people']} people"
    )
    print(f"list    {config.list}")
    print(f"sheets  {len(figures['sheets'])}")


def entry() -> NoReturn:
    """Console entry point."""
    cli.run(main)
