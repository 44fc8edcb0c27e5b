"""People and pictures that two datasets share: nobody is to be tested on who was trained on."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.curation.config import OverlapConfig
from facenet_tf.curation.near import near_hashes, near_vectors
from facenet_tf.curation.vectors import Embed, hashes_of, rows_of_records, vectors_of
from facenet_tf.datasets.names import normalized
from facenet_tf.errors import InputError
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.rows import Row

_ROWS_AT_ONCE = 1024
_PROTOCOLS = {
    "same_name": "letters and digits of the names are the same, upper and lower case alike",
    "same_bytes": "the files have the same SHA-256, whether a face was found or not",
    "near_duplicates": "DCT hashes of the crops differ in at most {bits} of 64 bits",
    "same_face": (
        "squared distance of the people's mean embeddings, scaled to length 1, below "
        "squared_distance: at that distance {false_matches} pairs of different people are "
        "expected, by the distances between the people within each dataset"
    ),
}


def find_overlap(
    first: FaceDataset, second: FaceDataset, config: OverlapConfig, embed: Embed | None = None
) -> dict[str, Any]:
    """What two datasets share, as plain values with stable keys.

    Args:
        first, second: the datasets.
        config: how near is near.
        embed: crops of either dataset to vectors of length 1; None: people are compared by name
            only.

    Raises:
        InputError: a record is damaged; or, with `embed`, neither has two people to judge by.
    """
    identities = {"same_name": _same_names(first, second)}
    images = {"same_bytes": _same_bytes(first, second)}
    protocols = {
        name: text.format(bits=config.bits, false_matches=config.false_matches)
        for name, text in _PROTOCOLS.items()
    }
    if _frame(first) == _frame(second):
        images["near_duplicates"] = _near_duplicates(first, second, config)
    else:
        protocols["near_duplicates"] = (
            "not compared: the crops are aligned or cut in different ways"
        )
    found: dict[str, Any] = {
        "first": _about(first),
        "second": _about(second),
        "identities": identities,
        "images": images,
    }
    if embed is None:
        protocols["same_face"] = "not compared: no model was given"
    else:
        identities["same_face"], found["squared_distance"] = _same_faces(
            first, second, config, embed
        )
    counts = {name: len(pairs) for name, pairs in {**identities, **images}.items()}
    return {**found, "counts": counts, "protocols": protocols}


def _frame(dataset: FaceDataset) -> tuple[str, float]:
    """What crops of two datasets have in common when they show the same of a picture."""
    height, width, _ = dataset.preprocessing.shape
    return dataset.preprocessing.alignment, width / height


def _about(dataset: FaceDataset) -> dict[str, Any]:
    return {
        "directory": str(dataset.directory),
        "name": dataset.manifest["name"],
        "fingerprint": dataset.fingerprint,
        "identities": len(dataset.class_names),
        "pictures": len(dataset.rows),
        "records": len(dataset),
    }


def _same_names(first: FaceDataset, second: FaceDataset) -> list[dict[str, str]]:
    """Every pair of people with the same name, with the splits they are in."""
    known = collections.defaultdict(list)
    for person in first.manifest["identities"]:
        known[normalized(person["name"])].append(person)
    return [
        {
            "first": own["name"],
            "first_split": own["split"],
            "second": person["name"],
            "second_split": person["split"],
        }
        for person in second.manifest["identities"]
        for own in known[normalized(person["name"])]
    ]


def _same_bytes(first: FaceDataset, second: FaceDataset) -> list[dict[str, Any]]:
    known = collections.defaultdict(list)
    for row in first.rows:
        known[row.sha256].append(row)
    return [_image_pair(own, row) for row in second.rows if row.sha256 for own in known[row.sha256]]


def _near_duplicates(
    first: FaceDataset, second: FaceDataset, config: OverlapConfig
) -> list[dict[str, Any]]:
    """Pairs of records with near hashes, those of the same bytes left out."""
    own_hashes, hashes = (
        hashes_of(dataset, dataset.split("all"), config.batch_size) for dataset in (first, second)
    )
    pairs = near_hashes(own_hashes, hashes, config.bits)
    first_rows, second_rows = (rows_of_records(dataset) for dataset in (first, second))
    found = []
    for left, right, bits in zip(*pairs, strict=True):
        own, row = first_rows[left], second_rows[right]
        if own.sha256 != row.sha256:
            found.append({**_image_pair(own, row), "bits": int(bits)})
    return found


def _image_pair(own: Row, row: Row) -> dict[str, Any]:
    return {
        "first": own.path,
        "first_identity": own.identity,
        "second": row.path,
        "second_identity": row.identity,
    }


def _same_faces(
    first: FaceDataset, second: FaceDataset, config: OverlapConfig, embed: Embed
) -> tuple[list[dict[str, Any]], float]:
    """Pairs of people whose mean embeddings are near, nearest first, and the distance allowed."""
    people = [_centres(dataset, embed, config.batch_size) for dataset in (first, second)]
    (own_names, own), (names, others) = people
    within = sum(len(rows) * (len(rows) - 1) // 2 for _, rows in people)
    if not within:
        raise InputError("--model: neither dataset has two people, to see how far people are apart")
    allowed = int(config.false_matches * within / (len(own) * len(others)))
    smallest = np.sort(np.concatenate([_smallest(rows, allowed + 1) for rows in (own, others)]))
    limit = float(smallest[allowed]) if allowed < len(smallest) else 4.0
    pairs = near_vectors(own, others, np.nextafter(limit, 0))
    return [
        {
            "first": own_names[pairs.left[at]],
            "second": names[pairs.right[at]],
            "squared_distance": round(float(pairs.distance[at]), 6),
        }
        for at in np.argsort(pairs.distance, kind="stable")
    ], limit


def _centres(
    dataset: FaceDataset, embed: Embed, batch_size: int
) -> tuple[list[str], NDArray[np.float32]]:
    """Names of the people with a record and the mean of each one's vectors, scaled to length 1."""
    vectors = vectors_of(embed, dataset, dataset.split("all"), batch_size)
    labels, centres = metrics.person_means(vectors, dataset.labels)
    return [dataset.class_names[label] for label in labels], centres.astype(np.float32)


def _smallest(rows: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """The smallest squared distances of two rows of [N, D], at most `count`, in any order."""
    best = np.empty(0)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[start : start + _ROWS_AT_ONCE].astype(np.float64)
        later = np.arange(len(rows)) > np.arange(start, start + len(block))[:, None]
        distances = np.maximum(2 - 2 * block @ rows.T.astype(np.float64), 0)[later]
        best = np.concatenate([best, distances])
        if len(best) > count:
            best = np.partition(best, count - 1)[:count]
    return best
