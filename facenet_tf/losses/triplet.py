"""The loss of one triplet, whatever rule mined it.

Schroff, Kalenichenko, Philbin: FaceNet, 2015, eq. 1 (hinge); Hermans, Beyer, Leibe: In Defense of
the Triplet Loss for Person Re-Identification, 2017, section 2 (soft margin).
"""

from __future__ import annotations

import math
from typing import Literal

import tensorflow as tf

Margin = float | Literal["soft"]


def triplet_loss(violation: tf.Tensor, margin: Margin) -> tf.Tensor:
    """Loss of triplets of any shape from `violation`, positive minus negative distance.

    Args:
        violation: float32.
        margin: hinge `max(violation + margin, 0)`, or "soft" for `log(1 + exp(violation))`.

    Returns:
        float32 of the shape of `violation`.
    """
    return tf.math.softplus(violation) if margin == "soft" else tf.nn.relu(violation + margin)


def triplet_slope(violation: tf.Tensor, margin: Margin) -> tf.Tensor:
    """Derivative of `triplet_loss` by `violation`, float32 of its shape; 0 at the hinge's kink."""
    if margin == "soft":
        return tf.math.sigmoid(violation)
    return tf.cast(violates(violation, margin), tf.float32)


def violates(violation: tf.Tensor, margin: Margin) -> tf.Tensor:
    """Which triplets violate the margin (soft margin: whose negative is the nearer), bool."""
    return violation > (0.0 if margin == "soft" else -margin)


def collapsed_loss(margin: Margin) -> float:
    """The constant the loss stands at when all embeddings are equal: the margin, or ln 2."""
    return math.log(2.0) if margin == "soft" else float(margin)


def check_margin(margin: Margin) -> None:
    """Raise ValueError for a margin that is neither a number from 0 on nor "soft"."""
    if isinstance(margin, str) and margin != "soft":
        raise ValueError(f'margin must be a number or "soft", not {margin!r}')
    if isinstance(margin, int | float) and not margin >= 0:
        raise ValueError(f"margin must be 0 or more, not {margin}")
