"""Models of this package: `.keras` files and run directories."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras

from facenet_tf.errors import InputError
from facenet_tf.models import preprocessing_of
from facenet_tf.preprocessing import check_same_preprocessing
from facenet_tf.records.dataset import FaceDataset

MODEL = "model.keras"
"""Of a run directory."""


def load_saved(path: Path) -> keras.Model:
    """A model that this package wrote, loaded in safe mode.

    Args:
        path: a `.keras`, or the directory of a run.

    Raises:
        InputError: it is none.
    """
    file = path / MODEL if path.is_dir() else path
    try:
        model = keras.saving.load_model(file, compile=False)
    except MemoryError:
        raise
    except Exception as error:  # a damaged file raises anything from KeyError to BadZipFile
        raise InputError(
            f"{file} cannot be loaded ({error!r}): {_written_by(file)}read with Keras "
            f"{keras.__version__}; train it again, or read it with the version that wrote it"
        ) from error
    try:
        preprocessing_of(model)
    except ValueError as error:
        raise InputError(f"{file}: {error}") from error
    return model


def check_crops(model: keras.Model, source: str | Path, dataset: FaceDataset) -> None:
    """Make sure that a dataset's crops are those of a model; `source` says where that is from.

    Raises:
        InputError: the preprocessings differ, or the model does not tell its own.
    """
    try:
        expected = preprocessing_of(model)
    except ValueError as error:
        raise InputError(f"{source}: {error}") from error
    what = f"model {source} and dataset {dataset.directory}"
    check_same_preprocessing(expected, dataset.preprocessing, what)


def _written_by(path: Path) -> str:
    """ "written with Keras X, ", or nothing where the file does not tell."""
    try:
        with zipfile.ZipFile(path) as archive:
            version = json.loads(archive.read("metadata.json"))["keras_version"]
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile):
        return ""
    return f"written with Keras {version}, "
