"""Decoded pictures in, face crops out, each with the reason for what became of it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from facenet_tf.detection import Detector, Face, SelectionRule, SeveralFaces, select_face
from facenet_tf.detection.recovery import Found, search
from facenet_tf.preprocessing import Crop, Preprocessing, align_face, central_window, centre_crop
from facenet_tf.quality import Quality, measure_quality
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.filters import refusal

# Landmarks are taken to the nearest 1/64 pixel: a detector may give them with other last bits in
# another batch, which the crop must not show.
_LANDMARK_STEPS = 64
# A detector's memory grows with the pixels of a batch: 16 of 250×250 stay well below.
_BATCH_PIXELS = 4_000_000


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was found in one picture; without a crop, `outcome` and `detail` say why."""

    outcome: str
    detail: str = ""
    rung: str = ""
    faces: int = 0
    face: Face | None = None
    crop: Crop | None = None
    quality: Quality | None = None


class FaceCropper:
    """Finds the face of each picture and cuts it out, as a config says."""

    def __init__(self, config: BuildConfig, detector: Detector) -> None:
        self._config = config
        self._detector = detector
        self._rule = cast(SelectionRule, config.face)  # resolved: not "auto"

    def __call__(self, images: Sequence[np.ndarray]) -> list[Finding]:
        """Return one finding per picture (uint8 [H, W, 3], RGB)."""
        found: list[Finding] = [Finding("no_face")] * len(images)
        for batch in self._batches(images):
            faces = self._find([images[index] for index in batch])
            for index, result in zip(batch, faces, strict=True):
                found[index] = self._one(images[index], result)
        return found

    def _batches(self, images: Sequence[np.ndarray]) -> Iterator[list[int]]:
        """Numbers of pictures that the detector sees at once, those of one size next to another."""
        batch: list[int] = []
        pixels = 0
        for index in sorted(range(len(images)), key=lambda index: images[index].shape):
            size = images[index].size // 3
            full = len(batch) == self._config.batch_size or pixels + size > _BATCH_PIXELS
            if batch and full:
                yield batch
                batch, pixels = [], 0
            batch.append(index)
            pixels += size
        if batch:
            yield batch

    def _find(self, batch: Sequence[np.ndarray]) -> list[Found]:
        if self._config.recover:
            return search(self._detector, batch)
        return [Found(faces) for faces in self._detector.detect(batch)]

    def _one(self, image: np.ndarray, found: Found) -> Finding:
        finding = dataclasses.replace(self._judge(image, found.faces), faces=len(found.faces))
        if finding.crop is not None and found.rung:
            finding = dataclasses.replace(finding, outcome="recovered")
        if finding.quality is not None:  # a face, though it may not be good enough
            return dataclasses.replace(finding, rung=found.rung)
        if not self._config.fallback:
            return finding
        reason = f"{finding.outcome}: {finding.detail}" if finding.detail else finding.outcome
        crop = centre_crop(image, self._config.preprocessing)
        return dataclasses.replace(finding, outcome="fallback", detail=reason, crop=crop)

    def _judge(self, image: np.ndarray, faces: list[Face]) -> Finding:
        try:
            face = select_face(faces, image.shape, self._rule)
        except SeveralFaces as several:
            return Finding("several_faces", f"{several.count} faces")
        if face is None:
            return Finding("no_face")
        landmarks = np.round(face.landmarks * _LANDMARK_STEPS) / _LANDMARK_STEPS
        face = dataclasses.replace(face, landmarks=landmarks)
        side = min(face.box[2:])
        if side < self._config.smallest_face:
            return Finding("too_small", f"{side:.1f} pixels", face=face)
        try:
            crop = align_face(image, face.landmarks, self._config.preprocessing)
        except ValueError as error:  # landmarks that coincide
            return Finding("bad_landmarks", str(error), face=face)
        if not crop.rmse <= self._config.max_rmse:
            return Finding("bad_landmarks", f"rmse {crop.rmse:.1f} pixels", face=face)
        quality = measure_quality(image, face.box, face.landmarks)
        if refused := refusal(quality, face.confidence, self._config):
            return Finding(*refused, face=face, quality=quality)
        return Finding("ok", face=face, crop=crop, quality=quality)


def central_box(
    image: np.ndarray, preprocessing: Preprocessing
) -> tuple[float, float, float, float]:
    """Return the box that a fallback crop shows: left, top, width, height in whole pixels."""
    left, top, width, height = map(math.floor, central_window(image, preprocessing))
    return left, top, width, height
