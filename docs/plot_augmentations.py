"""Draws every change of augmentation on one face: docs/images/augmentations.png.

    python docs/plot_augmentations.py [--picture FILE] [--output FILE]

A row for each strength of `Augmentation`, at its largest for all crops: the crop as it is, then
what six positions of a batch become. The face is that of scikit-image's astronaut (extra `dev`), or
the first one that is found in --picture.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import matplotlib
import numpy as np
import tensorflow as tf

from facenet_tf.detection.mtcnn import MtcnnDetector
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.transforms import Variation
from facenet_tf.pictures import decode_picture
from facenet_tf.preprocessing import Preprocessing, align_face

matplotlib.use("agg")
import matplotlib.pyplot as plt

CROP = Preprocessing(size=112)
SHOWN = 6
# What is no probability is drawn at a strength that can be seen and not at its limit.
VISIBLE = {
    "rotation": 20.0,
    "scale": 0.2,
    "translation": 0.15,
    "brightness": 0.3,
    "contrast": 0.6,
    "saturation": 0.9,
    "hue": 30.0,
    "cutout": 0.6,
}
STRENGTHS = [field.name for field in dataclasses.fields(Augmentation) if field.name != "enabled"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--picture", type=Path, help="a photograph with a face")
    images = Path(__file__).parent / "images"
    parser.add_argument("--output", type=Path, default=images / "augmentations.png")
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    rows = [(name, varied(face(options.picture), name)) for name in STRENGTHS]
    figure = drawn(rows)
    figure.savefig(options.output, dpi=60)
    plt.close(figure)


def face(picture: Path | None) -> np.ndarray:
    """The crop uint8 [S, S, 3] of the most confident face."""
    pixels = decode_picture(picture.read_bytes()) if picture else astronaut()
    found = max(MtcnnDetector().detect([pixels])[0], key=lambda each: each.confidence)
    return align_face(pixels, found.landmarks, CROP).pixels


def astronaut() -> np.ndarray:
    from skimage import data

    return np.asarray(data.astronaut())


def varied(crop: np.ndarray, name: str) -> np.ndarray:
    """The crop, and what it becomes at the first positions: uint8 [1 + SHOWN, S, S, 3]."""
    nothing = dict.fromkeys(STRENGTHS, 0.0)
    alone = Augmentation(**nothing | {name: VISIBLE.get(name, 1.0)})
    batch = tf.constant(np.repeat(crop[None], SHOWN, axis=0))
    changed = Variation(alone, CROP).vary(batch, seed=0, step=0)
    return np.concatenate([crop[None], changed.numpy()])


def drawn(rows: list[tuple[str, np.ndarray]]) -> plt.Figure:
    figure, axes = plt.subplots(
        len(rows), SHOWN + 1, figsize=(1.2 * (SHOWN + 2), 1.2 * len(rows)), squeeze=False
    )
    for (name, crops), places in zip(rows, axes, strict=True):
        for crop, place in zip(crops, places, strict=True):
            place.imshow(crop)
            place.set_xticks([])
            place.set_yticks([])
        places[0].set_ylabel(name.replace("_", " "), rotation=0, ha="right", va="center")
    figure.tight_layout()
    return figure


if __name__ == "__main__":
    main()
