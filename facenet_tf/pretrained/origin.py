"""Whence weights are, and whose faces they were trained on: what their figures have to say."""

from __future__ import annotations

import re
from pathlib import Path

from facenet_tf.pretrained import dlib_package

DLIB_TRAINED_ON = (
    "about 3 million faces of 7,485 people, half of the faces from FaceScrub and VGG-Face, people "
    "of LFW left out (README of dlib-models)"
)
NOT_SEEN = "left out of the pretraining, says its author"
LIKELY_SEEN = "likely seen in pretraining"
# By a word of the dataset's source or name.
_SEEN_BY_DLIB = {"lfw": NOT_SEEN, "pubfig83": LIKELY_SEEN}
_UNKNOWN = "not known; public figures are " + LIKELY_SEEN


def described(source: str, dataset_source: str, dataset_name: str) -> dict[str, str]:
    """What is known of weights, for the figures they give on a dataset.

    Args:
        source: as `load` takes it.
        dataset_source: "lfw", "folder" …, as the manifest has it.
        dataset_name: the dataset's own.

    Returns:
        `source`, `file`, `sha256`, `trained_on`, and `seen`: whether the network knows the people
        of the dataset.

    Raises:
        InputError: the package that has the weights is missing.
    """
    file = dlib_package.package_file(dlib_package.WEIGHTS) if source == "dlib" else Path(source)
    return {
        "source": source,
        "file": file.name,
        "sha256": dlib_package.sha256_of(file) if file.is_file() else "",
        "trained_on": DLIB_TRAINED_ON if source == "dlib" else "unknown",
        "seen": seen_by(source, dataset_source, dataset_name),
    }


def seen_by(source: str, dataset_source: str, dataset_name: str) -> str:
    """Whether weights know the people of a dataset, in words; arguments as of `described`."""
    if source != "dlib":
        return "unknown"
    words = {dataset_source, *re.split(r"[\W_]+", dataset_name.lower())}
    return next((text for word, text in _SEEN_BY_DLIB.items() if word in words), _UNKNOWN)
