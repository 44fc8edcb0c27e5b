"""What people wear: a mask over nose and mouth, sunglasses; placed by the crop's landmarks."""

from __future__ import annotations

import cv2
import numpy as np

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.draws import Change, Draws
from facenet_tf.preprocessing import FIVE_POINTS_112, Preprocessing, similarity_transform


def five_points(preprocessing: Preprocessing) -> np.ndarray:
    """Where a frontal face has its landmarks in a crop, float64 [5, 2]: the template, or what the
    eyes say of it."""
    known = preprocessing.template()
    fit = similarity_transform(FIVE_POINTS_112[: len(known)], known).matrix
    return FIVE_POINTS_112 @ fit[:, :2].T + fit[:, 2]


def dress(options: Augmentation, draws: Draws, points: np.ndarray) -> list[Change]:
    """The changes by what is worn; `points` are the landmarks [5, 2] of every crop."""
    worn = []
    if options.mask:
        worn.append(_wear(draws["mask"] < options.mask, *_masks(draws, points)))
    if options.sunglasses:
        worn.append(_wear(draws["sunglasses"] < options.sunglasses, *_sunglasses(draws, points)))
    return worn


def _wear(chosen: np.ndarray, outlines: np.ndarray, colours: np.ndarray) -> Change:
    """Fill outlines, integers [B, n, 2], with colours, [B, 3]."""

    def worn(position: int, crop: np.ndarray) -> np.ndarray:
        if not chosen[position]:
            return crop
        return cv2.fillPoly(crop.copy(), [outlines[position]], colours[position].tolist())

    return worn


def _masks(draws: Draws, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From between eyes and tip of the nose to below the chin, of any one colour."""
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    width = np.linalg.norm(right_eye - left_eye)
    middle = (left_mouth[0] + right_mouth[0]) / 2
    mouth = (left_mouth[1] + right_mouth[1]) / 2
    top = nose[1] - width * (0.1 + 0.3 * draws["mask_height"])
    fixed = np.ones_like(top)
    outline = [
        (nose[0] * fixed, top),
        ((right_eye[0] + 0.35 * width) * fixed, top + 0.15 * width),
        ((right_mouth[0] + 0.3 * width) * fixed, (mouth + 0.4 * width) * fixed),
        (middle * fixed, (mouth + 0.9 * width) * fixed),
        ((left_mouth[0] - 0.3 * width) * fixed, (mouth + 0.4 * width) * fixed),
        ((left_eye[0] - 0.35 * width) * fixed, top + 0.15 * width),
    ]
    colours = np.stack([draws[f"mask_{name}"] for name in ("red", "green", "blue")], axis=1)
    return _pixels(outline), np.floor(256 * colours)


def _sunglasses(draws: Draws, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A dark band over both eyes."""
    left, right = points[0], points[1]
    along = right - left
    down = np.array([-along[1], along[0]])
    ends = left - 0.55 * along, right + 0.55 * along
    half = (0.2 + 0.15 * draws["sunglasses_height"])[:, None] * down
    corners = [ends[0] - half, ends[1] - half, ends[1] + half, ends[0] + half]
    greys = np.floor(64 * draws["sunglasses_grey"])
    return _pixels([(corner[:, 0], corner[:, 1]) for corner in corners]), greys[:, None].repeat(
        3, 1
    )


def _pixels(outline: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """int32 [B, n, 2] of n corners x [B], y [B]."""
    corners = np.stack([np.stack(corner, axis=1) for corner in outline], axis=1)
    return np.rint(corners).astype(np.int32)
