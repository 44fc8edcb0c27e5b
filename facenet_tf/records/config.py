"""The typed config of a build; its defaults are the demonstration."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from facenet_tf.datasets.picture import as_text
from facenet_tf.errors import InputError
from facenet_tf.pictures import Encoding
from facenet_tf.preprocessing import Preprocessing

SourceKind = Literal["auto", "att", "folder", "lfw"]
FaceRule = Literal["auto", "largest_central", "most_confident", "nearest_centre", "refuse"]
Split = Literal["by_name", "shuffled", "lfw_view1", "lfw_view2"]

# What says where or how to work, not what to make: no part of the dataset's manifest.
_NOT_IN_MANIFEST = (
    "directory",
    "variant",
    "data_home",
    "protocol",
    "exclude",
    "output",
    "workers",
    "overwrite",
)


@dataclasses.dataclass(frozen=True)
class BuildConfig:
    """What `data_prep/build_tfrecords.py` does."""

    directory: tyro.conf.Positional[Path | None] = None
    """folder of pictures; without one the AT&T faces, or scikit-learn's LFW (--source lfw)"""
    source: SourceKind = "auto"
    """layout of the pictures; auto: a folder of person/picture if one is given, else att"""
    name: str = ""
    """name of the dataset; empty: the folder's or source's"""
    variant: str = ""
    """which pictures these are, in words for the manifest (of LFW: original, funneled,
    deep-funneled); empty: the name of the directory"""
    output: Path | None = None
    """dataset directory to write; None: data/NAME"""
    identity_level: int = 0
    """which folder of a picture's path names the person: 0 the first below the directory, 1 the
    second …; -1 the one that holds the picture, -2 its parent …"""
    data_home: Path | None = None
    """lfw without a directory: scikit-learn's data directory (None: its own default)"""
    protocol: Path | None = None
    """lfw: where people.txt, pairs.txt … are (None: in the directory or beside it)"""

    split: Split = "by_name"
    """by_name: the last people by name are test, the last of the others validation; shuffled: the
    same after a shuffle; lfw_view1: the official development split; lfw_view2: everyone is test"""
    test_people: int | float = 0.25
    """how many people only measure: a count, or a fraction below 1 of all (not with lfw splits)"""
    validation_people: int | float = 0.15
    """how many of the other people steer the training: a count, or a fraction below 1"""
    validation_min_pictures: int = 2
    """people with fewer pictures are never validation people"""
    seed: int = 0
    """seeds the shuffled split, and which people of LFW's View 1 are validation"""

    face: FaceRule = "auto"
    """which of several faces in a picture; refuse: none of them; auto: largest_central, and
    nearest_centre for lfw, whose pictures are centred on the person"""
    detector_min_face: int = 20
    """smallest face that the detector looks for, in pixels of the picture"""
    recover: bool = True
    """look again, with a border and enlarged, where no face is found"""
    fallback: bool = False
    """give a picture without a usable face a record all the same: its central square"""
    smallest_face: float = 12.0
    """a face whose box has a shorter side than this many pixels is too_small"""
    max_rmse: float = 15.0
    """landmarks that miss those of an upright frontal face by more (root mean square, pixels of a
    112x112 crop) are bad_landmarks"""
    duplicates: Literal["drop", "keep"] = "drop"
    """of files with the same bytes only the first gives a record, or each does"""
    exclude: tuple[Path, ...] = ()
    """reviewed lists of pictures to leave out, CSV with the columns exclude, path and reason, as
    data_prep/find_duplicates.py and data_prep/clean_labels.py write them"""

    preprocessing: Annotated[Preprocessing, tyro.conf.arg(name="")] = Preprocessing()  # noqa: RUF009
    """the face crop"""
    encoding: Encoding = "jpeg"
    """how crops are stored; png loses nothing and takes several times the space"""
    quality: int = 95
    """JPEG quality, 1…100"""

    shards: int = 0
    """number of shard files; 0: by the number of pictures"""
    workers: int = 0
    """processes; 0: one per CPU core. The result does not depend on it"""
    batch_size: int = 16
    """pictures that the detector sees at once"""
    overwrite: bool = False
    """replace a finished dataset in the output directory"""

    def __post_init__(self) -> None:
        _require(1 <= self.quality <= 100, "--quality", self.quality, "give 1 to 100")
        _require(self.batch_size >= 1, "--batch-size", self.batch_size, "give 1 or more")
        _require(self.workers >= 0, "--workers", self.workers, "give 0 (all cores) or more")
        _require(0 <= self.shards <= 9999, "--shards", self.shards, "give 0 (automatic) to 9999")
        _require(self.seed >= 0, "--seed", self.seed, "give 0 or more")
        for option, share in (
            ("--test-people", self.test_people),
            ("--validation-people", self.validation_people),
        ):
            allowed = 0 <= share < 1 or (math.isfinite(share) and share >= 1 and share % 1 == 0)
            _require(allowed, option, share, "give a count, or a fraction below 1")
        _require(
            self.validation_min_pictures >= 0,
            "--validation-min-pictures",
            self.validation_min_pictures,
            "give 0 or more",
        )
        _require(
            0 <= self.smallest_face < math.inf,
            "--smallest-face",
            self.smallest_face,
            "give 0 pixels or more",
        )
        _require(self.max_rmse > 0, "--max-rmse", self.max_rmse, "give pixels above 0")
        _require(
            self.detector_min_face >= 12,
            "--detector-min-face",
            self.detector_min_face,
            "give 12 pixels (what the detector's first network sees) or more",
        )

    def resolved(self) -> BuildConfig:
        """Return the config with `source`, `name`, `output` and `face` filled in."""
        source = self.source
        if source == "auto":
            source = "folder" if self.directory else "att"
        if source == "folder" and self.directory is None:
            raise InputError("--source folder: give the folder of pictures as first argument")
        if self.split.startswith("lfw") and source != "lfw":
            raise InputError(f"--split {self.split} needs --source lfw")
        own_name: str = source
        if source == "folder" and self.directory:
            own_name = as_text(self.directory.resolve().name)
        face = self.face
        if face == "auto":
            face = "nearest_centre" if source == "lfw" else "largest_central"
        name = as_text(self.name) or re.sub(r"[^\w.-]+", "_", own_name)
        output = self.output or Path("data", name)
        return dataclasses.replace(self, source=source, name=name, output=output, face=face)

    def to_manifest(self) -> dict[str, Any]:
        """Return the fields that decide what the dataset holds, as plain values."""
        fields = dataclasses.asdict(self)
        return {name: fields[name] for name in fields if name not in _NOT_IN_MANIFEST}


def _require(fulfilled: bool, option: str, value: object, advice: str) -> None:
    if not fulfilled:
        raise InputError(f"{option} {value}: {advice}")
