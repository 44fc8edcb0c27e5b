"""The embeddings for TensorBoard's Projector: ``tensorboard --logdir EVALUATION/projector``.

The directory holds what the Projector reads: ``vectors.tsv``, ``metadata.tsv`` (person, picture),
a sprite of the crops, and its config.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.crops import small_crops
from facenet_tf.evaluation.options.projector import ProjectorOptions
from facenet_tf.evaluation.protocol import Protocol, Results
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table

DIRECTORY = "projector"
_SPRITE_SIDE = 8192
"""The Projector takes no larger sprite."""
_CROP_SIDE = 64
_CONFIG = """embeddings {{
  tensor_name: "embeddings"
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
{sprite}}}
"""
_SPRITE = """  sprite {{
    image_path: "sprite.png"
    single_image_dim: {side}
    single_image_dim: {side}
  }}
"""


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """How many pictures are exported; None where the config asks for none."""
    wanted = config.projector.pictures
    if not wanted:
        return None
    pictures = len(_exported(vectors, measured, config))
    if not pictures:
        return {"skipped": "no test picture has a record"}
    return {"pictures": pictures, "directory": DIRECTORY}


def _exported(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> NDArray[np.int64]:
    """Rows of the roster, in order."""
    rows = np.flatnonzero(measured.test_rows & ~vectors.roster.lost)
    random = np.random.default_rng([config.seed, len(rows)])
    return np.sort(random.permutation(rows)[: config.projector.pictures])


def tables(results: dict[str, Any]) -> list[Table]:
    """What was exported, and how to look at it."""
    found = results["projector"]
    note = (
        f"{found['pictures']} pictures in {found['directory']}: tensorboard --logdir of that "
        "directory, tab Projector"
    )
    return [Table(note=note)]


def save(results: Results, directory: Path) -> None:
    """Write the directory."""
    measured = results.measured
    rows = _exported(results.trained, measured, results.config)
    place = directory / DIRECTORY
    place.mkdir()
    chosen = results.trained.where(rows)
    np.savetxt(place / "vectors.tsv", chosen.values, fmt="%.6g", delimiter="\t")
    roster = chosen.roster
    lines = [f"{_plain(name)}\t{_plain(key)}" for name, key in zip(roster.identities, roster.keys)]
    metadata = "\n".join(["person\tpicture", *lines]) + "\n"
    (place / "metadata.tsv").write_text(metadata, encoding="utf-8")
    side = min(_CROP_SIDE, _SPRITE_SIDE // math.ceil(math.sqrt(len(rows))))
    crops = small_crops(measured, rows, max(side, 1))
    described = ""
    if crops and side:
        cv2.imwrite(str(place / "sprite.png"), sprite([crops[int(row)] for row in rows], side))
        described = _SPRITE.format(side=side)
    (place / "projector_config.pbtxt").write_text(_CONFIG.format(sprite=described))


def sprite(crops: list[NDArray[np.uint8]], side: int) -> NDArray[np.uint8]:
    """Crops [H, W, 3] with sides up to `side`, row by row on a square of squares."""
    columns = math.ceil(math.sqrt(len(crops)))
    sheet = np.zeros((columns * side, columns * side, 3), np.uint8)
    for number, crop in enumerate(crops):
        top, left = (place * side for place in divmod(number, columns))
        height, width = crop.shape[:2]
        sheet[top : top + height, left : left + width] = crop
    return sheet


def _plain(text: str) -> str:
    """A cell of a TSV file, which knows no quotes."""
    return " ".join(str(text).split())


PROJECTOR = Protocol(
    "projector",
    "TensorBoard's Projector",
    "The embeddings as a cloud that can be turned and searched, with the faces in it.",
    figures,
    tables,
    save=save,
    files=(DIRECTORY,),
    options=ProjectorOptions,
)
