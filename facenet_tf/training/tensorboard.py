"""What TensorBoard shows of a run: curves, distances, errors by person, triplets, projector."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins import projector
from tensorboard.plugins.histogram import metadata as histograms

from facenet_tf.losses.distances import pairwise_distances
from facenet_tf.training.identity_table import as_markdown
from facenet_tf.training.validation import BATCH, Embedder, ValidationPeople

logger = logging.getLogger(__name__)

_TRIPLETS_SHOWN = 6
_BUCKETS = 80
_FARTHEST = 4.0  # squared, of unit vectors


class TensorBoardLog(keras.callbacks.Callback):
    """Writes an epoch's figures as scalars, its hardest triplets as a picture, and what the
    validation people's distances and errors are.

    What cannot be shown is left out with a warning: no picture is worth a run, which would fail in
    the same place as often as it is resumed.

    Args:
        directory: the run's logs.
        embedder: of the model in training.
        batches_of: epoch → some of its P×K batches without augmentation, to look for hard triplets
            in; a triplet's pictures are of one batch, as in training.
        validation: people whose distances and errors are shown, and, by the best model so far,
            their embeddings in the projector; None: nothing of these.
        behind: epochs that the run has taken. What was written of later ones, before a kill or a
            loss that was not finite has undone them, TensorBoard leaves out.
    """

    def __init__(
        self,
        directory: Path,
        embedder: Embedder,
        batches_of: Callable[[int], Sequence[dict[str, np.ndarray]]],
        validation: ValidationPeople | None,
        behind: int = 0,
    ) -> None:
        super().__init__()
        self.behind = behind
        self.directory, self.embedder = directory, embedder
        self.batches_of, self.validation = batches_of, validation
        self.writer = tf.summary.create_noop_writer()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        with _warned_of("the beginning of the stage"):
            self.writer = tf.summary.create_file_writer(str(self.directory))
            # The first of a directory begins it, each further one takes back from its step on.
            # There is no public way to write one, but it has to be in the file of what follows it.
            began = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            event = event_pb2.Event(step=self.behind + 1, wall_time=time.time(), session_log=began)
            tf.raw_ops.ImportEvent(writer=self.writer._resource, event=event.SerializeToString())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        # No error of this is warned of alone: several workers embed together, and end together.
        triplets = self._hardest_triplets(epoch)
        people, of_epoch = self.validation, f"of epoch {epoch + 1}"
        # Its end writes out all that is new, which may fail too.
        with _warned_of(f"what is new {of_epoch}"), self.writer.as_default(step=epoch + 1):
            with _warned_of(f"the curves {of_epoch}"):
                for name, value in logs.items():
                    tf.summary.scalar(_tag(name), float(value))
            with _warned_of(f"the triplets {of_epoch}"):
                tf.summary.image("hardest_triplets", draw_triplets(triplets)[None])
            if people is not None:
                with _warned_of(f"the distances {of_epoch}"):
                    write_distances(people, epoch + 1)
                    tf.summary.text("validation/identity_errors", as_markdown(people))
        if people is not None and logs["val_auc"] >= logs["val_auc_best"]:
            with _warned_of(f"the projector {of_epoch}"):
                write_projector(self.directory, people)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        with _warned_of("the end of the stage"):
            self.writer.close()

    def _hardest_triplets(self, epoch: int) -> list[Triplet]:
        found: list[Triplet] = []
        for batch in self.batches_of(epoch):
            images = batch["image"]
            # A batch that is trained on in chunks does not fit as a whole.
            parts = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
            embeddings = self.embedder.embed(map(tf.constant, parts))
            found += hardest_triplets(images, batch["label"], batch["source"], embeddings)
        worst = sorted(found, key=lambda triplet: triplet.positive - triplet.negative)
        return worst[::-1][:_TRIPLETS_SHOWN]


@contextlib.contextmanager
def _warned_of(what: str) -> Iterator[None]:
    """Go on without what fails to be shown."""
    try:
        yield
    except Exception as error:
        logger.warning("TensorBoard lacks %s (%s: %s)", what, type(error).__name__, error)
        logger.debug("it failed here", exc_info=True)


def write_distances(people: ValidationPeople, step: int) -> None:
    """Histograms of genuine and impostor distances, to the writer in use.

    Counted here: ``tf.summary.histogram`` takes a gigabyte for the pairs of 2,000 pictures, and
    gives each histogram buckets of its own. These are the same for both kinds and all epochs.
    """
    for kind, chosen in (("genuine", people.genuine), ("impostor", ~people.genuine)):
        distances = np.minimum(people.distances[chosen], _FARTHEST)
        counts, edges = np.histogram(distances, bins=_BUCKETS, range=(0, _FARTHEST))
        tf.summary.write(
            f"validation/{kind}_distances",
            np.stack([edges[:-1], edges[1:], counts], axis=1),
            step=step,
            metadata=histograms.create_summary_metadata(None, "squared distances of pairs"),
        )


class Triplet(NamedTuple):
    """Three crops uint8 ``[H, W, C]`` (anchor, positive, negative) and the two distances."""

    crops: tuple[np.ndarray, np.ndarray, np.ndarray]
    positive: float
    negative: float


def hardest_triplets(
    images: np.ndarray, labels: np.ndarray, sources: np.ndarray, embeddings: np.ndarray
) -> list[Triplet]:
    """Each anchor of a batch with its farthest positive and its nearest negative.

    Args:
        images: uint8 ``[B, H, W, C]``.
        labels: int ``[B]``.
        sources: int ``[B]``; two crops of one source are no triplet's anchor and positive.
        embeddings: float32 ``[B, D]``.
    """
    distances = pairwise_distances(tf.constant(embeddings)).numpy()
    same = labels[:, None] == labels[None, :]
    positive = np.where(same & (sources[:, None] != sources[None, :]), distances, -np.inf)
    negative = np.where(same, np.inf, distances)
    farthest, nearest = positive.argmax(1), negative.argmin(1)
    complete = np.isfinite(positive.max(1)) & np.isfinite(negative.min(1))
    return [
        Triplet(
            (images[anchor], images[farthest[anchor]], images[nearest[anchor]]),
            float(positive[anchor].max()),
            float(negative[anchor].min()),
        )
        for anchor in np.flatnonzero(complete)
    ]


def draw_triplets(triplets: Sequence[Triplet]) -> np.ndarray:
    """A picture uint8 ``[H, W, 3]`` with a triplet in each row."""
    figure = Figure(figsize=(4.5, 1.5 * _TRIPLETS_SHOWN), layout="constrained")
    grid = figure.subplots(_TRIPLETS_SHOWN, 3, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, triplet in zip(grid, triplets):
        titles = ("anchor", f"positive {triplet.positive:.2f}", f"negative {triplet.negative:.2f}")
        for axes, crop, title in zip(row, triplet.crops, titles, strict=True):
            axes.imshow(crop.squeeze(), cmap="gray")
            axes.set_title(title, fontsize=8)
    return _pixels(figure)


def write_projector(directory: Path, validation: ValidationPeople) -> None:
    """Embeddings, names and thumbnails for TensorBoard's embedding projector."""
    directory.mkdir(parents=True, exist_ok=True)
    names = [validation.dataset.class_names[label] for label in validation.labels]
    np.savetxt(directory / "embeddings.tsv", validation.embeddings, fmt="%.5f", delimiter="\t")
    (directory / "names.tsv").write_text("".join(f"{name}\n" for name in names))
    thumbnails = validation.thumbnails()
    sprite = cv2.cvtColor(_tile(thumbnails), cv2.COLOR_RGB2BGR)
    (directory / "sprite.png").write_bytes(cv2.imencode(".png", sprite)[1].tobytes())

    config = projector.ProjectorConfig()
    shown = config.embeddings.add()
    shown.tensor_name = "validation faces"
    shown.tensor_path, shown.metadata_path = "embeddings.tsv", "names.tsv"
    shown.sprite.image_path = "sprite.png"
    shown.sprite.single_image_dim.extend(thumbnails.shape[1:3])
    projector.visualize_embeddings(str(directory), config)


def _tag(name: str) -> str:
    return f"validation/{name[4:]}" if name.startswith("val_") else f"train/{name}"


def _tile(thumbnails: np.ndarray) -> np.ndarray:
    """``[N, h, w, 3]`` as one square sheet, row by row, the rest white."""
    count, height, width, channels = thumbnails.shape
    side = math.ceil(math.sqrt(count))
    sheet = np.full((side * side, height, width, channels), 255, np.uint8)
    sheet[:count] = thumbnails
    rows = sheet.reshape(side, side, height, width, channels).swapaxes(1, 2)
    return rows.reshape(side * height, side * width, channels)


def _pixels(figure: Figure) -> np.ndarray:
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=100)
        encoded = np.frombuffer(file.getvalue(), np.uint8)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1]
