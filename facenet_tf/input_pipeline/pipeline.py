"""tf.data over a dataset directory: training batches with random access, evaluation in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.decoding import decode
from facenet_tf.input_pipeline.degraded import degraded
from facenet_tf.input_pipeline.in_python import in_python
from facenet_tf.input_pipeline.mixup import mix
from facenet_tf.input_pipeline.sampler import IdentitySampler, SamplerReport
from facenet_tf.input_pipeline.sampling import UNIFORM, Sampling
from facenet_tf.input_pipeline.share import WHOLE, Share
from facenet_tf.input_pipeline.transforms import Variation
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.schema import encoded_crop


class Records(Protocol):
    """What the pipeline needs of a dataset directory; `records.dataset.FaceDataset` has it."""

    @property
    def labels(self) -> np.ndarray:
        """Identity of each record, int64 [N]."""

    @property
    def sources(self) -> np.ndarray:
        """Source image of each record, int64 [N]."""

    @property
    def preprocessing(self) -> Preprocessing:
        """What the crops are."""

    def read(self, records: np.ndarray) -> list[bytes]:
        """Serialized Examples of these records, in this order."""


@dataclass(frozen=True)
class DenseLabels:
    """Labels 0…class_count - 1 for a choice of records.

    Attributes:
        labels: int32 [n], the dense label of each chosen record.
        classes: int64 [class_count], the dataset's label of each dense label, ascending.
    """

    labels: np.ndarray
    classes: np.ndarray

    @property
    def class_count(self) -> int:
        """How many identities the chosen records have."""
        return len(self.classes)


def dense_labels(dataset: Records, records: np.ndarray) -> DenseLabels:
    """The labels that `training_batches` gives the same `records`."""
    classes, labels = np.unique(dataset.labels[records], return_inverse=True)
    return DenseLabels(labels.astype(np.int32), classes)


def what_is_drawn(
    dataset: Records, records: np.ndarray, images_per_identity: int, include_singletons: bool
) -> tuple[np.ndarray, SamplerReport]:
    """Those of `records` whose identities `training_batches` draws, and counts of what it draws,
    leaves out and repeats."""
    records = np.asarray(records, np.int64)
    labels, sources = dataset.labels[records], dataset.sources[records]
    sampler = IdentitySampler(labels, sources, 1, images_per_identity, 0, include_singletons)
    return records[sampler.takes_part], sampler.report


def training_batches(
    dataset: Records,
    records: np.ndarray,
    identities_per_batch: int,
    images_per_identity: int,
    seed: int,
    start_step: int,
    total_steps: int,
    augmentation: Augmentation,
    include_singletons: bool = False,
    sampling: Sampling = UNIFORM,
    confused: np.ndarray | None = None,
    mixup: float = 0.0,
    share: Share = WHOLE,
    degrade: Sequence[str] = (),
) -> tf.data.Dataset:
    """Batches of exactly P·K crops for the steps start_step…total_steps - 1.

    A batch is a pure function of (seed, step, `confused`): a run that stops and goes on at step n
    gets the bytes it would have got without the stop. Readers that share the batches get between
    them what one reader alone would get.

    Args:
        dataset: where the records are.
        records: record numbers [n] to draw from.
        identities_per_batch: P; `IdentitySampler` says how identities and images are drawn.
        images_per_identity: K.
        seed: 0…2^63 - 1.
        start_step: the first step, ≥ 0.
        total_steps: the step after the last.
        augmentation: what happens to a crop.
        include_singletons: draw identities with one source image too.
        share: the parts of each batch that are read; of several, each is an element of its own.
        sampling: how often each identity is drawn, and how many of a batch are partners.
        confused: integers [identities, n], the dense labels that each is confused with, then -1.
        mixup: parameter of MixUp's Beta distribution; 0 for no mixing.
        degrade: names of what happens to every crop before `augmentation`, see `degraded`.

    Returns:
        Elements of a fixed shape, n = P·K / `share.parts`: "image" uint8 [n, H, W, C]; "label"
        int32 [n], see `dense_labels`; "source" int32 [n], equal for copies of one source image,
        which are no positives of each other; "record" int32 [n], record numbers of the dataset.
        With mixup also "other_label" int32 [n] and "share" float32 [n], see `mixup.mix`.

    Raises:
        InputError: an option is out of range, `records` has fewer than P identities, or a batch
            does not divide into the parts. Damage in a record surfaces as `tf.errors.OpError`
            while iterating.
    """
    augmentation.check()
    # All that there is of each record takes half the memory in these.
    records = np.asarray(records, np.int32)
    labels = dataset.labels[records].astype(np.int32)
    classes = np.unique(labels)
    sampler = IdentitySampler(
        labels,
        dataset.sources[records].astype(np.int32),
        identities_per_batch,
        images_per_identity,
        seed,
        include_singletons,
        sampling,
        confused,
    )
    whole = identities_per_batch * images_per_identity
    size = share.size(identities_per_batch, images_per_identity)
    # Partners of MixUp are anywhere in a batch: it is read whole, and then the part is cut out.
    read_size = whole if mixup else size

    variation = Variation(augmentation, dataset.preprocessing)

    def read(step: np.int64, first: np.int64) -> tuple[np.ndarray, ...]:
        chosen = records[sampler.batch(int(step))[first : first + read_size]]
        label = np.searchsorted(classes, dataset.labels[chosen])
        told = (label, dataset.sources[chosen], chosen)
        return _encoded(dataset, chosen), *(each.astype(np.int32) for each in told)

    def part(number: tf.Tensor) -> dict[str, tf.Tensor]:
        step, first = number // share.own, (share.first + number % share.own) * size
        begin = tf.zeros_like(first) if mixup else first
        types = [tf.string, tf.int32, tf.int32, tf.int32]
        read_part = in_python(read, [step, begin], types)
        encoded, label, source, record = (tf.ensure_shape(each, [read_size]) for each in read_part)
        image = _decoded(encoded, dataset, degrade)
        image = variation.vary(image, seed, step, begin, whole)
        batch = {"image": image, "label": label, "source": source, "record": record}
        if not mixup:
            return batch
        mixed = batch | mix(image, label, mixup, seed, step)
        return {
            name: tf.ensure_shape(tensor[first : first + size], [size, *tensor.shape[1:]])
            for name, tensor in mixed.items()
        }

    return _in_order(tf.data.Dataset.range(start_step * share.own, total_steps * share.own), part)


def evaluation_batches(
    dataset: Records, records: np.ndarray, batch_size: int, degrade: Sequence[str] = ()
) -> tf.data.Dataset:
    """All of `records` once, in their order: uint8 [≤ batch_size, H, W, C]; the last may be small.

    Every crop is changed as `degrade` says, see `degraded`.

    Damage in a record surfaces as `tf.errors.OpError` while iterating.
    """
    records = np.asarray(records, np.int64)

    def read(start: np.int64) -> np.ndarray:
        return _encoded(dataset, records[start : start + batch_size])

    def batch(start: tf.Tensor) -> tf.Tensor:
        encoded = tf.ensure_shape(in_python(read, [start], tf.string), [None])
        return _decoded(encoded, dataset, degrade)

    return _in_order(tf.data.Dataset.range(0, len(records), batch_size), batch)


def evaluation_arrays(
    dataset: FaceDataset, records: np.ndarray, batch_size: int, degrade: Sequence[str] = ()
) -> Iterator[np.ndarray]:
    """The batches of `evaluation_batches` as NumPy arrays.

    Raises:
        InputError: a record cannot be read.
    """
    try:
        yield from evaluation_batches(dataset, records, batch_size, degrade).as_numpy_iterator()
    except tf.errors.OpError as error:
        told = told_by_the_pipeline(error) or error.message.partition("\n")[0]
        raise InputError(f"{dataset.directory}: a record cannot be read ({told})") from error


def _decoded(encoded: tf.Tensor, dataset: Records, degrade: Sequence[str]) -> tf.Tensor:
    """Crops uint8 [n, H, W, C] of their bytes, degraded where that is asked for."""
    images = decode(encoded, dataset.preprocessing.shape)
    if not degrade:
        return images
    changed = in_python(lambda crops: np.stack(list(degraded(crops, degrade))), [images], tf.uint8)
    return tf.ensure_shape(changed, images.shape)


def _encoded(dataset: Records, records: np.ndarray) -> np.ndarray:
    """Bytes of the crops, JPEG or PNG: objects [n]."""
    crops = np.empty(len(records), object)
    payloads = dataset.read(records)
    for position, (record, payload) in enumerate(zip(records, payloads, strict=True)):
        try:
            crops[position] = encoded_crop(payload)
        except ValueError as error:
            raise InputError(f"record {record} is damaged: {error}") from error
    return crops


def _in_order(
    numbers: tf.data.Dataset, batch: Callable[[tf.Tensor], dict[str, tf.Tensor] | tf.Tensor]
) -> tf.data.Dataset:
    """The batches of the numbers, several at a time are made."""
    options = tf.data.Options()
    options.deterministic = True
    made = numbers.map(batch, num_parallel_calls=tf.data.AUTOTUNE)
    return made.with_options(options).prefetch(tf.data.AUTOTUNE)


def told_by_the_pipeline(error: tf.errors.OpError) -> str | None:
    """The line of an `InputError` that tf.data wrapped; None where there is none."""
    lines = error.message.splitlines()
    told = (line.partition("InputError: ")[2] for line in lines if "InputError: " in line)
    return next(told, None)
