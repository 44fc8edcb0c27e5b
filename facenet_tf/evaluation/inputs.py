"""What is measured comes in many forms: which one a path is, told before anything is opened."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal, get_args

from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Alignment, Normalization

Kind = Literal["run", "keras", "saved_model", "litert", "onnx", "vectors", "weights"]

FOREIGN: tuple[Kind, ...] = ("saved_model", "litert", "onnx")
"""Models that do not say how their crops are made."""
_BY_SUFFIX: dict[str, Kind] = {
    ".keras": "keras",
    ".tflite": "litert",
    ".onnx": "onnx",
    ".npz": "vectors",
    ".csv": "vectors",
}
_WEIGHTS = (".h5", ".hdf5", ".pt", ".pth", ".dat", ".pb")
MODEL = "model.keras"
_SAVED_MODEL = "saved_model.pb"


@dataclasses.dataclass(frozen=True)
class Foreign:
    """What a SavedModel, a LiteRT or an ONNX file does not say of itself."""

    normalization: Literal[Normalization, "inside"] | None = None
    """What is done to the pixels 0…255 before: as --normalization of build_tfrecords.py, or inside:
    nothing, the model does it."""
    alignment: Alignment | None = None
    """How its crops are aligned: as --alignment of build_tfrecords.py."""
    channels: Literal["rgb", "bgr"] = "rgb"
    """Order of the colours that it expects."""
    output: str | None = None
    """Which of its outputs is the embedding; not needed where it has one."""

    def check(self, source: Path) -> None:
        """Raises InputError while it is unknown how the crops of `source` are made."""
        missing = {
            "--foreign.normalization": (self.normalization, (*get_args(Normalization), "inside")),
            "--foreign.alignment": (self.alignment, get_args(Alignment)),
        }
        for option, (given, known) in missing.items():
            if given is None:
                raise InputError(
                    f"{source} does not say how its crops are made: give {option} "
                    f"({', '.join(known)})"
                )


def kind_of(source: str | Path) -> Kind:
    """What a path is, or "weights" for `dlib`.

    Raises:
        InputError: there is no such file, or it is of no known kind.
    """
    path = Path(source)
    if str(source) == "dlib":
        return "weights"
    if path.is_dir():
        return _kind_of_directory(path)
    kind = _BY_SUFFIX.get(path.suffix) or ("weights" if is_weights(path) else None)
    if kind is None and not path.exists():
        raise InputError(
            f"{path / MODEL} is missing: name a run directory, or train one with "
            f"python train.py --output {path}"
        )
    if kind is None:
        known = ", ".join([*_BY_SUFFIX, *_WEIGHTS])
        raise InputError(
            f"{path}: nothing here reads such a file; give a run directory, a SavedModel, or "
            f"one of {known}"
        )
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    return kind


def is_embeddings(source: str | Path) -> bool:
    """Whether a path names embeddings; it need not exist."""
    return _BY_SUFFIX.get(Path(source).suffix) == "vectors"


def is_weights(source: str | Path) -> bool:
    """Whether a path names weights that others have trained, or is `dlib`; it need not exist."""
    path = Path(source)
    if str(source) != "dlib" and path.is_dir():
        return _is_of_openface(path)
    return str(source) == "dlib" or path.suffix in _WEIGHTS


def is_model_file(source: Path) -> bool:
    """Whether a path is to be read itself, and is no directory of a run; it need not exist."""
    return source.suffix in (*_BY_SUFFIX, *_WEIGHTS) or (source / _SAVED_MODEL).is_file()


def _kind_of_directory(path: Path) -> Kind:
    if (path / MODEL).is_file():
        return "run"
    if (path / _SAVED_MODEL).is_file():
        return "saved_model"
    if _is_of_openface(path):
        return "weights"
    raise InputError(
        f"{path / MODEL} is missing: name a run directory, or train one with "
        f"python train.py --output {path}"
    )


def _is_of_openface(path: Path) -> bool:
    """Whether a directory holds tables of weights, and is neither a run nor a SavedModel."""
    others = (MODEL, _SAVED_MODEL, "config.json")
    return any(path.glob("*.csv")) and not any((path / name).exists() for name in others)


@dataclasses.dataclass(frozen=True)
class System:
    """A system to compare with, and the dataset of its crops where these are others."""

    source: str
    dataset: Path | None

    @classmethod
    def parse(cls, text: str) -> System:
        """Read SOURCE or SOURCE@DATASET.

        Raises:
            InputError: one of the two is empty, or the source is unknown (see `kind_of`).
        """
        source, at, directory = text.rpartition("@")
        if not at:
            source, directory = text, ""
        if not source or (at and not directory):
            raise InputError(f"--compare {text!r}: give SOURCE, or SOURCE@DATASET")
        kind_of(source)
        return cls(source, Path(directory) if at else None)
