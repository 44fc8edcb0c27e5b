"""Which faces are not good enough, by the options of a build."""

from __future__ import annotations

from facenet_tf.quality import Quality
from facenet_tf.records.config import BuildConfig

LIMITS = {
    "too_small": "--smallest-face",
    "bad_landmarks": "--max-rmse",
    "unsure": "--min-confidence",
    "blurred": "--min-sharpness",
    "too_dark": "--min-exposure",
    "too_bright": "--max-exposure",
    "turned": "--max-yaw",
    "tilted": "--max-roll",
}
"""Outcome → the option whose value made a face that was found unusable."""


def refusal(quality: Quality, confidence: float, config: BuildConfig) -> tuple[str, str] | None:
    """Return the outcome and the reason in words if a face is to be dropped, else None.

    Args:
        quality: of the face.
        confidence: of the detector in it, 0…1.
        config: its limits; a value equal to one of them is good enough.
    """
    if confidence < config.min_confidence:
        return "unsure", f"confidence {confidence:.5f}"
    if quality.sharpness < config.min_sharpness:
        return "blurred", f"sharpness {quality.sharpness:.1f}"
    if quality.exposure < config.min_exposure:
        return "too_dark", f"exposure {quality.exposure:.3f}"
    if quality.exposure > config.max_exposure:
        return "too_bright", f"exposure {quality.exposure:.3f}"
    if abs(quality.yaw) > config.max_yaw:
        return "turned", f"yaw {quality.yaw:.1f} degrees"
    if abs(quality.roll) > config.max_roll:
        return "tilted", f"roll {quality.roll:.1f} degrees"
    return None
