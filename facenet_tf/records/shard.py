"""One shard from its pictures: the task that a worker does."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facenet_tf.detection import Detector
from facenet_tf.errors import InputError
from facenet_tf.pictures import UnreadablePicture, decode_picture, encode_crop
from facenet_tf.records import framing
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.cropper import FaceCropper, Finding, central_box
from facenet_tf.records.plan import Item, ShardTask
from facenet_tf.records.rows import Row, numbers
from facenet_tf.records.schema import Record, serialize

# How much is decoded at once, whichever is reached first.
_CHUNK_PICTURES, _CHUNK_PIXELS = 128, 32_000_000


@dataclasses.dataclass(frozen=True)
class Shard:
    """A finished shard file, its rows, and the fingerprint of the task that made it.

    The rows have no split yet: that is the person's.
    """

    number: int
    file: str
    bytes: int
    sha256: str
    rows: list[Row]
    task: str


class ShardWriter:
    """Builds shards into a directory, under a name that says they are not finished yet."""

    def __init__(self, config: BuildConfig, detector: Detector, directory: Path) -> None:
        self._config = config
        self._cropper = FaceCropper(config, detector)
        self._directory = directory

    def write(self, task: ShardTask) -> Shard:
        """Write ``FILE`` into the directory and return what it holds.

        Records are in the order of the keys; memory is bounded by one chunk of pictures. The file
        is on the disk when this returns.

        Raises:
            InputError: a picture has changed since the build began.
        """
        rows, digest, offset = [], hashlib.sha256(), 0
        with (self._directory / task.file).open("wb") as file:
            for item, image, finding in self._findings(task.items):
                row = self._row(item, finding)
                if finding.crop is not None:
                    payload = self._serialize(item, image, row.outcome, finding)
                    record = framing.frame(payload)
                    row = dataclasses.replace(
                        row, shard=task.number, offset=offset, length=len(payload)
                    )
                    file.write(record)
                    digest.update(record)
                    offset += len(record)
                rows.append(row)
            file.flush()
            os.fsync(file.fileno())
        return Shard(task.number, task.file, offset, digest.hexdigest(), rows, task.fingerprint)

    def rehearse(self, item: Item) -> None:
        """Do with one picture alone what `write` does, for nothing: to see whether it can be done.

        Raises:
            InputError: the picture has changed since the build began.
        """
        for member, image, finding in self._findings((item,)):
            if finding.crop is not None:
                self._serialize(member, image, finding.outcome, finding)

    def _findings(self, items: tuple[Item, ...]) -> Iterator[tuple[Item, np.ndarray, Finding]]:
        nothing = np.empty((0, 0, 3), np.uint8)
        chunk: list[tuple[Item, np.ndarray | Finding]] = []
        pixels = 0
        for item in items:
            decoded = self._decode(item)
            chunk.append((item, decoded))
            pixels += decoded.size // 3 if isinstance(decoded, np.ndarray) else 0
            if len(chunk) < _CHUNK_PICTURES and pixels < _CHUNK_PIXELS and item is not items[-1]:
                continue
            images = [image for _, image in chunk if isinstance(image, np.ndarray)]
            found = iter(zip(images, self._cropper(images), strict=True))
            for member, result in chunk:
                if isinstance(result, Finding):
                    yield member, nothing, result
                else:
                    yield member, *next(found)
            chunk, pixels = [], 0

    def _decode(self, item: Item) -> np.ndarray | Finding:
        if item.excluded:
            return Finding("excluded", item.excluded)
        if item.problem:
            return Finding("unreadable", item.problem)
        if item.crash:
            return Finding("crashed", item.crash)
        if item.same_as and self._config.duplicates == "drop":
            return Finding("duplicate", item.same_as)
        try:
            data = item.picture.read()
        except OSError as error:
            raise InputError(f"{item.picture.path} vanished during the build: {error}") from error
        if hashlib.sha256(data).hexdigest() != item.sha256:
            raise InputError(f"{item.picture.path} has changed during the build: start it again")
        try:
            return decode_picture(data, round(self._config.max_megapixels * 1e6))
        except UnreadablePicture as problem:
            return Finding(problem.code, problem.detail)

    def _row(self, item: Item, finding: Finding) -> Row:
        picture, face, crop = item.picture, finding.face, finding.crop
        outcome, detail = finding.outcome, finding.detail
        if picture.repaired and outcome in ("ok", "recovered"):
            outcome = "repaired"
        if item.same_as and outcome != "duplicate":
            detail = "; ".join(filter(None, (detail, f"same bytes as {item.same_as}")))
        row = Row(
            picture.key,
            picture.identity,
            item.label,
            split="",
            sha256=item.sha256,
            outcome=outcome,
            detail=detail,
            rung=finding.rung,
            faces=finding.faces,
        )
        if face is not None:
            row = dataclasses.replace(
                row,
                confidence=f"{face.confidence:.5f}",
                box=numbers(face.box),
                landmarks=numbers(face.landmarks.reshape(-1)),
            )
        if quality := finding.quality:
            row = dataclasses.replace(
                row,
                face_size=f"{quality.face_size:.3f}",
                sharpness=f"{quality.sharpness:.3f}",
                exposure=f"{quality.exposure:.5f}",
                yaw=f"{quality.yaw:.3f}",
                roll=f"{quality.roll:.3f}",
            )
        if crop is not None:
            rmse = "" if np.isnan(crop.rmse) else f"{crop.rmse:.3f}"
            row = dataclasses.replace(row, transform=numbers(crop.matrix.reshape(-1), 6), rmse=rmse)
        return row

    def _serialize(self, item: Item, image: np.ndarray, outcome: str, finding: Finding) -> bytes:
        crop, face = finding.crop, finding.face if outcome != "fallback" else None
        assert crop is not None  # only then is there something to store
        encoded = encode_crop(crop.pixels, self._config.encoding, self._config.quality)
        return serialize(
            Record(
                encoded=encoded,
                label=item.label,
                identity=item.picture.identity,
                path=item.picture.key,
                sha256=item.sha256,
                outcome=outcome,
                box=face.box if face else central_box(image, self._config.preprocessing),
                confidence=face.confidence if face else 0.0,
                landmarks=face.landmarks if face else np.full((5, 2), np.nan),
                transform=crop.matrix,
                rmse=crop.rmse,
            )
        )
