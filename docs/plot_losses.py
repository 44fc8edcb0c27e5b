"""Draws every loss against the distances it acts on: docs/images/losses_*.png.

    python docs/plot_losses.py [--output DIR]

Everything is computed by the package's own functions, on the fewest rows that show it, placed at
known distances on the unit sphere. A loss that is registered is drawn; what no other loss asks for
is in `GIVEN`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import tensorflow as tf

from facenet_tf.losses import Loss, losses

matplotlib.use("agg")
import matplotlib.pyplot as plt

IMAGES = Path(__file__).parent / "images"
DISTANCES = np.linspace(0.0, 2.0, 81)
ANGLES = np.linspace(0.0, math.pi, 91)
FAR_NEGATIVE, POSITIVE = 1.2, 0.8
"""Where the rows that do not move are, in plain distance from the anchor."""
DRAWS = 32
"""Random mining is drawn as the mean over so many seeds."""
LOW_SCALE = 4.0
"""Under which the loss still tells the logits apart in float32."""
# Norms of the embedding in AdaFace's running distribution: short, average and long ones.
GIVEN: dict[str, Callable[[tf.Tensor], list[dict[str, Any]]]] = {
    "subcentre_arcface": lambda prototypes: [{"prototypes": prototypes[:, None, :]}],
    "adaface": lambda prototypes: [
        {"norms": tf.fill([len(ANGLES)], norm), "state": tf.constant([50.0, 10.0])}
        for norm in (10.0, 50.0, 90.0)
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=IMAGES, help="directory for the pictures")
    directory = parser.parse_args().output
    directory.mkdir(parents=True, exist_ok=True)
    for family, draw in FAMILIES.items():
        members = [loss for loss in losses() if family_of(loss) == family]
        if members:
            figure = draw(members)
            figure.savefig(directory / f"losses_{family}.png", dpi=80)
            plt.close(figure)


def family_of(loss: Loss) -> str | None:
    if loss.name.startswith("tfa_"):
        return None  # other people's triplets, which need their package
    if loss.name == "triplet":
        return "triplet"
    if "prototypes" in loss.tensors:
        return "softmax"
    return "centre" if "state" in loss.tensors else "pairs"


def draw_triplets(members: list[Loss]) -> plt.Figure:
    """One triplet under every margin and distance; and what each rule makes of two negatives."""
    figure, axes = panels(3, "distance of the negative")
    one = members[0]  # of a single triplet all rules make the same
    for axis, distance in zip(axes, ("plain", "squared")):
        axis.set_title(f"{distance} distances: hinge 0.2 and soft margin (dashed)")
        for colour, positive in enumerate((0.4, 0.8, 1.2)):
            for margin, line in {0.2: "-", "soft": "--"}.items():
                curve = triplet_curve(one, positive, [], margin=margin, distance=distance)
                label = f"positive at {positive}" if line == "-" else None
                axis.plot(DISTANCES, curve, f"C{colour}{line}", label=label)
    axes[2].set_title(f"hinge 0.2, positive at {POSITIVE}, another negative at {FAR_NEGATIVE}")
    for loss in members:
        curve = triplet_curve(loss, POSITIVE, [FAR_NEGATIVE], margin=0.2, distance="plain")
        axes[2].plot(DISTANCES, curve, label=loss.mining)
    return finished(figure, axes)


def triplet_curve(
    loss: Loss, positive: float, negatives: list[float], **options: Any
) -> np.ndarray:
    """Loss of an anchor as a negative moves away; `negatives` stay where they are."""
    batches = [
        [point(0.0), point(positive), point(-moving), *(point(-each) for each in negatives)]
        for moving in DISTANCES
    ]
    return anchor_losses(loss, batches, [0, 0, *range(1, 2 + len(negatives))], **options)


def draw_softmax(members: list[Loss]) -> plt.Figure:
    """What becomes of the cosine with the true class, and the loss beside one other class."""
    figure, axes = panels(2, "angle to the true class in degrees")
    axes[0].set_title("logit of the true class / scale")
    axes[1].set_title("loss at the defaults, beside one class at a right angle")
    for number, loss in enumerate(members):
        for axis, curves in zip(axes, (true_class_logits(loss), softmax_curves(loss))):
            for line, curve in zip(("-", "--", ":"), curves):
                label = loss.name if line == "-" else None
                axis.plot(np.degrees(ANGLES), curve, line, color=f"C{number}", label=label)
    return finished(figure, axes)


def true_class_logits(loss: Loss) -> list[np.ndarray]:
    """What takes the place of the cosine with the true class, over the angle.

    From the loss itself: `ln(1 + exp(0 - scale * logit))`, the cosine with the other class being 0.
    """
    scale = {"scale": LOW_SCALE} if "scale" in loss.options else {}
    factor = scale.get("scale", 1.0)
    return [-np.log(np.expm1(curve)) / factor for curve in softmax_curves(loss, **scale)]


def softmax_curves(loss: Loss, **options: Any) -> list[np.ndarray]:
    """Loss over the angle to the true class's prototype, for each case in `GIVEN`."""
    prototypes = tf.constant([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    rows = np.stack([np.cos(ANGLES), np.sin(ANGLES), np.zeros_like(ANGLES)], axis=1)
    labels = tf.zeros([len(ANGLES)], tf.int32)
    curves = []
    for case in GIVEN.get(loss.title, lambda _: [{}])(prototypes):
        tensors = {"prototypes": prototypes} | case
        result = loss.function(tf.constant(rows, tf.float32), labels, **tensors, **options)
        values = result[0] if "state" in loss.tensors else result
        curves.append(values.numpy().astype(np.float64))
    return curves


def draw_pairs(members: list[Loss]) -> plt.Figure:
    """Loss of an anchor as its positive, and as its negative, moves away; a row for each loss."""
    figure, axes = plt.subplots(
        len(members), 2, figsize=(8, 2 * len(members)), layout="constrained", squeeze=False
    )
    still = math.sqrt(2.0)
    for (left, right), loss in zip(axes, members):
        positive = [[point(0.0), point(each), point(-still)] for each in DISTANCES]
        negative = [[point(0.0), point(POSITIVE), point(-each)] for each in DISTANCES]
        left.plot(DISTANCES, anchor_losses(loss, positive, [0, 0, 1]))
        right.plot(DISTANCES, anchor_losses(loss, negative, [0, 0, 1]), "C1")
        left.set_ylabel(loss.title)
    axes[0, 0].set_title("as the positive moves, negative at a right angle")
    axes[0, 1].set_title(f"as the negative moves, positive at {POSITIVE}")
    for axis in axes[-1]:
        axis.set_xlabel("plain distance from the anchor")
    return figure


def draw_centre(members: list[Loss]) -> plt.Figure:
    """Loss over the distance to the centre of the class."""
    figure, axes = panels(1, "distance of the embedding from the centre")
    rows = tf.constant([point(each) for each in DISTANCES], tf.float32)
    for loss in members:
        state = tf.constant([point(0.0)], tf.float32)
        values, _ = loss.function(rows, tf.zeros([len(DISTANCES)], tf.int32), state=state)
        axes[0].plot(DISTANCES, values, label=loss.title)
    return finished(figure, axes)


FAMILIES: dict[str, Callable[[list[Loss]], plt.Figure]] = {
    "triplet": draw_triplets,
    "softmax": draw_softmax,
    "pairs": draw_pairs,
    "centre": draw_centre,
}


def point(distance: float) -> tuple[float, float]:
    """Where on the unit circle a row is that has this distance from the anchor at (1, 0); a
    negative one is on the other side."""
    angle = 2.0 * math.asin(distance / 2.0)
    return math.cos(angle), math.sin(angle)


def anchor_losses(loss: Loss, batches: list, labels: list[int], **options: Any) -> np.ndarray:
    """Loss of the first row of each batch, the mean over draws where the mining is random."""
    draws = [{"seed": tf.constant([number, 0])} for number in range(DRAWS)]
    cases: list[dict[str, tf.Tensor]] = draws if "seed" in loss.tensors else [{}]

    @tf.function
    def first(rows: tf.Tensor, tensors: dict[str, tf.Tensor]) -> tf.Tensor:
        return loss.function(rows, tf.constant(labels), **tensors, **options).loss[0]

    return np.array(
        [
            np.mean([first(rows, tensors) for tensors in cases])
            for rows in tf.constant(batches, tf.float32)
        ]
    )


def panels(count: int, horizontal: str) -> tuple[plt.Figure, list[plt.Axes]]:
    figure, axes = plt.subplots(
        1, count, figsize=(5.5 * count, 4), layout="constrained", squeeze=False
    )
    for axis in axes[0]:
        axis.set_xlabel(horizontal)
        axis.title.set_fontsize("medium")
    return figure, list(axes[0])


def finished(figure: plt.Figure, axes: list[plt.Axes]) -> plt.Figure:
    for axis in axes:
        axis.legend(fontsize="small")
        axis.grid(alpha=0.3)
    return figure


if __name__ == "__main__":
    main()
