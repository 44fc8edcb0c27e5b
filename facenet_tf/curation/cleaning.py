"""The pictures of a dataset that seem to show somebody else: a list, contact sheets, figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf.curation.config import LabelsConfig
from facenet_tf.curation.labels import Suspects, find_suspects, out_of_sample, require_cleanlab
from facenet_tf.curation.sheets import EXAMPLES, SheetLine, write_sheets
from facenet_tf.curation.vectors import Embed, rows_of_records, vectors_of
from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.pipeline import dense_labels
from facenet_tf.records import durable
from facenet_tf.records.dataset import FaceDataset, SplitName
from facenet_tf.records.exclusions import COLUMNS, YES, write_list

FIGURES = "summary.json"
LIST_COLUMNS = (*COLUMNS, "identity", "split", "proposed", "own_probability", "probability")


def clean_labels(dataset: FaceDataset, embed: Embed, config: LabelsConfig) -> dict[str, Any]:
    """Judge the pictures of a dataset and write list, contact sheets and figures.

    Args:
        dataset: where the pictures are.
        embed: crops to vectors of length 1.
        config: whose pictures are judged, and where to write.

    Returns:
        What summary.json holds.

    Raises:
        InputError: cleanlab is missing, too few people, a damaged record, a directory that cannot
            be written.
    """
    require_cleanlab()
    records = judged_records(dataset, config.split, config.min_pictures)
    dense = dense_labels(dataset, records)
    labels = dense.labels.astype(np.int64)
    names = [dataset.class_names[label] for label in dense.classes]
    vectors = vectors_of(embed, dataset, records, config.batch_size)
    probabilities = out_of_sample(vectors, labels, config.folds, config.seed)
    suspects = find_suspects(probabilities, labels)
    lines = _list_lines(dataset, records, suspects, names)
    by_person = sorted(lines, key=lambda line: (line["identity"], line["own_probability"]))
    write_list(config.list, LIST_COLUMNS, by_person)
    for old in config.directory.glob("sheet-*.png"):
        old.unlink()
    shown = _sheet_lines(lines, records, labels, probabilities, suspects)
    sheets = write_sheets(config.directory, dataset, shown, config.sheets)
    figures = {
        "dataset": {"name": dataset.manifest["name"], "fingerprint": dataset.fingerprint},
        "split": config.split,
        "people": len(names),
        "pictures": len(records),
        "too_few_pictures": len(dataset.split(config.split)) - len(records),
        "flagged": len(lines),
        "people_flagged": len({line["identity"] for line in lines}),
        "agreement": float((probabilities.argmax(axis=1) == labels).mean()),
        "sheets": [path.name for path in sheets],
        "protocol": (
            f"softmax of cosines to people's mean embeddings, {config.folds} stratified folds, "
            f"seed {config.seed}, people with at least {config.min_pictures} pictures; cleanlab's "
            "filter low_self_confidence"
        ),
    }
    durable.write_json(config.directory / FIGURES, figures)
    return figures


def judged_records(dataset: FaceDataset, split: SplitName, min_pictures: int) -> NDArray[np.int64]:
    """Record numbers of the people of a split with at least so many records.

    Raises:
        InputError: there are fewer than two such people.
    """
    records = dataset.split(split)
    labels = dataset.labels[records]
    counts = np.bincount(labels, minlength=len(dataset.class_names))
    if (counts >= min_pictures).sum() < 2:
        raise InputError(
            f"{dataset.directory}, split {split}: fewer than two people have {min_pictures} "
            "pictures: lower --min-pictures, or choose another --split"
        )
    return records[counts[labels] >= min_pictures]


def _list_lines(
    dataset: FaceDataset, records: NDArray[np.int64], suspects: Suspects, names: list[str]
) -> list[dict[str, Any]]:
    """A line per suspect, in their order."""
    rows = rows_of_records(dataset)
    lines = []
    for at, proposed, own, other in zip(*suspects, strict=True):
        row = rows[records[at]]
        lines.append(
            {
                "exclude": YES,
                "path": row.path,
                "reason": f"label doubted: {own:.3f} {row.identity}, {other:.3f} {names[proposed]}",
                "identity": row.identity,
                "split": row.split,
                "proposed": names[proposed],
                "own_probability": round(float(own), 6),
                "probability": round(float(other), 6),
            }
        )
    return lines


def _sheet_lines(
    lines: list[dict[str, Any]],
    records: NDArray[np.int64],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    suspects: Suspects,
) -> list[SheetLine]:
    """Each suspect with the most typical faces of both people that are no suspects themselves."""
    own = probabilities[np.arange(len(labels)), labels]
    own[suspects.row] = -1
    typical = np.argsort(-own, kind="stable")
    typical = typical[own[typical] >= 0]

    def faces(label: int) -> NDArray[np.int64]:
        return records[typical[labels[typical] == label][:EXAMPLES]]

    return [
        SheetLine(
            f"{line['path']}   given: {line['identity']}   proposed: {line['proposed']}",
            int(records[at]),
            faces(labels[at]),
            faces(proposed),
        )
        for line, at, proposed in zip(lines, suspects.row, suspects.proposed, strict=True)
    ]
