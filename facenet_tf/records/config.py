"""The typed config of a build; its defaults are the demonstration."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from facenet_tf.datasets.picture import as_text
from facenet_tf.errors import InputError, require
from facenet_tf.pictures import MAX_PIXELS, Encoding
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.storage import is_url

SourceKind = Literal["auto", "att", "folder", "lfw"]
FaceRule = Literal["auto", "largest_central", "most_confident", "nearest_centre", "refuse"]
DetectorKind = Literal["mtcnn", "yunet", "retinaface"]
DetectorEngine = Literal["litert", "onnx"]
Engine = Literal["processes", "ray"]
Split = Literal["by_name", "shuffled", "lfw_view1", "lfw_view2"]

# What says where or how to work, not what to make; what the manifest or the rows list elsewhere
# (the number of shards, the pictures left out, the detector's weights); words of the manifest
# alone: no part of its config.
_NOT_IN_MANIFEST = (
    "directory",
    "source_url",
    "variant",
    "data_home",
    "protocol",
    "exclude",
    "output",
    "output_url",
    "detector_model",
    "shards",
    "workers",
    "engine",
    "ray_address",
    "overwrite",
)


@dataclasses.dataclass(frozen=True)
class BuildConfig:
    """What `data_prep/build_tfrecords.py` does."""

    directory: tyro.conf.Positional[Path | None] = None
    """folder of pictures; without one the AT&T faces, or scikit-learn's LFW (--source lfw)"""
    source_url: str | None = None
    """instead of a directory: a folder of person/picture in a store, as fsspec names it
    (s3://bucket/photos; needs the extra `remote`)"""
    source: SourceKind = "auto"
    """layout of the pictures; auto: a folder of person/picture if one is given, else att"""
    name: str = ""
    """name of the dataset; empty: the folder's or source's"""
    variant: str = ""
    """which pictures these are, in words for the manifest (of LFW: original, funneled,
    deep-funneled); empty: the name of the directory"""
    output: Path | None = None
    """dataset directory to write; None: data/NAME"""
    output_url: str | None = None
    """a place in a store where the dataset is put as well (s3://bucket/faces; needs the extra
    `remote`): each shard as soon as it is finished, dataset.json last"""
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
    detector: DetectorKind = "mtcnn"
    """what finds the faces; yunet (OpenCV's) needs --detector-model, retinaface the package
    retina-face"""
    detector_model: Path | None = None
    """yunet: its ONNX file"""
    detector_min_face: float = 20.0
    """smallest face that the detector looks for, in pixels of the picture"""
    detector_engine: DetectorEngine = "litert"
    """mtcnn: what computes its networks; litert is a part of TensorFlow, onnx needs ONNX Runtime"""
    detector_thresholds: tuple[float, float, float] = (0.6, 0.7, 0.8)
    """mtcnn: scores above which a box stays after each of the three networks, 0…1; lower ones find
    more, and more that is no face"""
    detector_scale_factor: float = 0.709
    """mtcnn: how much smaller each next size is in which a picture is searched, 0.1…0.95"""
    recover: bool = True
    """look again where no face is found: bordered, enlarged, equalised, turned, less strictly"""
    fallback: bool = False
    """give a picture without a usable face a record all the same: the middle of it"""
    smallest_face: float = 12.0
    """a face whose box has a shorter side than this many pixels is too_small"""
    max_rmse: float = 15.0
    """landmarks that miss those of an upright frontal face by more (root mean square, pixels of a
    112x112 crop) are bad_landmarks"""
    min_confidence: float = 0.0
    """a face of which the detector is less sure, 0…1, is dropped as unsure (0: none is)"""
    min_sharpness: float = 0.0
    """a face with a smaller variance of the Laplacian (on a 112x112 crop) is dropped as blurred"""
    min_exposure: float = 0.0
    """a face with a smaller mean level, 0…1, is dropped as too_dark"""
    max_exposure: float = 1.0
    """a face with a larger mean level, 0…1, is dropped as too_bright"""
    max_yaw: float = 90.0
    """a face that looks further aside, in degrees, is dropped as turned (90: none is)"""
    max_roll: float = 180.0
    """a head that is rotated further in the picture, in degrees, is dropped as tilted (180: none
    is)"""
    duplicates: Literal["drop", "keep"] = "drop"
    """of files with the same bytes only the first gives a record, or each does"""
    exclude: tuple[Path, ...] = ()
    """reviewed lists of pictures to leave out, CSV with the columns exclude, path and reason, as
    data_prep/find_duplicates.py and data_prep/clean_labels.py write them"""
    max_megapixels: float = MAX_PIXELS / 1e6
    """a picture whose header declares more is too_large, and is not decoded"""

    preprocessing: Annotated[Preprocessing, tyro.conf.arg(name="")] = Preprocessing()  # noqa: RUF009
    """the face crop"""
    encoding: Encoding = "jpeg"
    """how crops are stored; png loses nothing and takes several times the space"""
    quality: int = 95
    """JPEG quality, 1…100"""

    shards: int = 0
    """number of shard files; 0: by the number of pictures, or as many as a finished dataset has"""
    workers: int = 0
    """processes; 0: one per CPU core. The result does not depend on it"""
    engine: Engine = "processes"
    """where shards are built: in processes of this machine, or by tasks on a cluster of machines
    (ray; needs the package). The result does not depend on it"""
    ray_address: str | None = None
    """ray: HOST:PORT of the cluster's head; None: as Ray finds it (RAY_ADDRESS, the cluster on this
    machine, or a new one there)"""
    batch_size: int = 16
    """pictures that the detector sees at once"""
    overwrite: bool = False
    """build a finished dataset in the output directory anew; without it, the shards whose pictures
    have changed"""

    def __post_init__(self) -> None:
        self._unify_numbers()
        require(1 <= self.quality <= 100, "--quality", self.quality, "give 1 to 100")
        require(self.batch_size >= 1, "--batch-size", self.batch_size, "give 1 or more")
        require(self.workers >= 0, "--workers", self.workers, "give 0 (all cores) or more")
        require(0 <= self.shards <= 9999, "--shards", self.shards, "give 0 (automatic) to 9999")
        require(self.seed >= 0, "--seed", self.seed, "give 0 or more")
        for option, share in (
            ("--test-people", self.test_people),
            ("--validation-people", self.validation_people),
        ):
            allowed = 0 <= share < 1 or (math.isfinite(share) and share >= 1 and share % 1 == 0)
            require(allowed, option, share, "give a count, or a fraction below 1")
        require(
            self.validation_min_pictures >= 0,
            "--validation-min-pictures",
            self.validation_min_pictures,
            "give 0 or more",
        )
        require(
            0 <= self.smallest_face < math.inf,
            "--smallest-face",
            self.smallest_face,
            "give 0 pixels or more",
        )
        require(
            0 < self.max_megapixels < math.inf,
            "--max-megapixels",
            self.max_megapixels,
            "give millions of pixels above 0",
        )
        require(self.max_rmse > 0, "--max-rmse", self.max_rmse, "give pixels above 0")
        if self.ray_address is not None and self.engine != "ray":
            raise InputError("--ray-address is Ray's: give --engine ray too, or leave it out")
        self._check_urls()
        self._check_quality_limits()
        self._check_detector()

    def _unify_numbers(self) -> None:
        """Make 20 and 20.0 one option, and one fingerprint."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == "float":
                value = float(value)
            elif field.type == "int | float":  # a fraction below 1, else a count
                value = int(value) if value % 1 == 0 else float(value)
            elif field.type == "tuple[float, float, float]":
                value = tuple(map(float, value))
            object.__setattr__(self, field.name, value)

    def _check_detector(self) -> None:
        require(
            12 <= self.detector_min_face < math.inf,
            "--detector-min-face",
            self.detector_min_face,
            "give 12 pixels (what MTCNN's first network sees) or more",
        )
        for threshold in self.detector_thresholds:
            require(0 <= threshold <= 1, "--detector-thresholds", threshold, "give 0 to 1")
        require(
            0.1 <= self.detector_scale_factor <= 0.95,
            "--detector-scale-factor",
            self.detector_scale_factor,
            "give 0.1 to 0.95",
        )
        if (self.detector == "yunet") != (self.detector_model is not None):
            raise InputError("--detector yunet and --detector-model belong together: give both")
        for name in ("detector_engine", "detector_thresholds", "detector_scale_factor"):
            if self.detector != "mtcnn" and getattr(self, name) != getattr(type(self), name):
                option = "--" + name.replace("_", "-")
                raise InputError(
                    f"{option} is MTCNN's: leave it out with --detector {self.detector}"
                )

    def _check_urls(self) -> None:
        for option, url in (("--source-url", self.source_url), ("--output-url", self.output_url)):
            require(url is None or is_url(url), option, url, "give a URL such as s3://bucket/faces")
        if self.source_url is not None and (
            self.directory or self.source not in ("auto", "folder")
        ):
            raise InputError(
                "--source-url stands for a directory of person/picture: leave out the directory "
                "and --source"
            )
        # A path keeps one of the two slashes.
        for option, path in (("--source-url", self.directory), ("--output-url", self.output)):
            if path is not None and re.match(r"[a-z][a-z0-9+.-]+:/", str(path)):
                raise InputError(f"{path} is no directory of this machine: give it as {option}")

    def _check_quality_limits(self) -> None:
        for option, value, highest in (
            ("--min-confidence", self.min_confidence, 1),
            ("--min-exposure", self.min_exposure, 1),
            ("--max-exposure", self.max_exposure, 1),
            ("--max-yaw", self.max_yaw, 90),
            ("--max-roll", self.max_roll, 180),
        ):
            require(0 <= value <= highest, option, value, f"give 0 to {highest}")
        sharpness = self.min_sharpness
        require(0 <= sharpness < math.inf, "--min-sharpness", sharpness, "give 0 or more")
        require(
            self.min_exposure <= self.max_exposure,
            "--min-exposure",
            self.min_exposure,
            f"give no more than --max-exposure {self.max_exposure}",
        )

    def resolved(self) -> BuildConfig:
        """Return the config with `source`, `name`, `output` and `face` filled in."""
        source = self.source
        if source == "auto":
            source = "folder" if self.directory or self.source_url else "att"
        if source == "folder" and not (self.directory or self.source_url):
            raise InputError("--source folder: give the folder of pictures as first argument")
        if self.split.startswith("lfw") and source != "lfw":
            raise InputError(f"--split {self.split} needs --source lfw")
        own_name: str = source
        if source == "folder" and self.directory:
            own_name = as_text(self.directory.resolve().name)
        if source == "folder" and self.source_url:
            own_name = self.source_url.rstrip("/").rpartition("/")[2]
        face = self.face
        if face == "auto":
            face = "nearest_centre" if source == "lfw" else "largest_central"
        name = as_text(self.name) or re.sub(r"[^\w.-]+", "_", own_name)
        output = self.output or Path("data", name)
        config = dataclasses.replace(self, source=source, name=name, output=output, face=face)
        return config._with_absolute_paths() if self.engine == "ray" else config

    def _with_absolute_paths(self) -> BuildConfig:
        """The same for processes that were not started in this directory."""
        names = ("directory", "output", "data_home", "protocol", "detector_model")
        paths = {name: getattr(self, name) for name in names}
        return dataclasses.replace(
            self, **{k: path.absolute() for k, path in paths.items() if path}
        )

    def to_manifest(self) -> dict[str, Any]:
        """Return the fields that decide what the dataset holds, as JSON gives them back."""
        fields = {**dataclasses.asdict(self), "preprocessing": self.preprocessing.fields()}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
            if name not in _NOT_IN_MANIFEST
        }
