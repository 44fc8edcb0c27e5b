"""Batches out of a dataset directory: exact, in order, and the same bytes every time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.pipeline import (
    dense_labels,
    evaluation_arrays,
    evaluation_batches,
    training_batches,
)
from facenet_tf.input_pipeline.sampler import IdentitySampler
from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.input_pipeline.share import Share

OFF = Augmentation(enabled=False)
ON = Augmentation(rotation=10.0, cutout=0.3)
P, K, SEED = 3, 2, 17


def steps(dataset: Any, start: int, end: int, augmentation: Augmentation) -> list[dict]:
    records = np.arange(len(dataset.labels))
    batches = training_batches(dataset, records, P, K, SEED, start, end, augmentation)
    return list(batches.as_numpy_iterator())


def same_bytes(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(
        one[name].tobytes() == other[name].tobytes() for name in one
    )


def test_batches_have_fixed_shapes_and_integer_labels(dataset: Any) -> None:
    batches = training_batches(dataset, np.arange(20), P, K, SEED, 0, 5, ON)
    numbers = tf.TensorSpec([P * K], tf.int32)
    assert batches.element_spec == {
        "image": tf.TensorSpec([P * K, 32, 32, 3], tf.uint8),
        "label": numbers,
        "source": numbers,
        "record": numbers,
    }
    assert len(list(batches)) == 5


def test_crops_that_are_not_square(write_dataset: Callable[..., Any], tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path, [0, 0, 1, 1, 2, 2], encoding=".png", width=24)
    (batch,) = steps(dataset, 0, 1, ON)
    assert batch["image"].shape == (P * K, 32, 24, 3)
    (plain,) = steps(dataset, 0, 1, OFF)
    pixels = [dataset.pixels(record) for record in plain["record"]]
    np.testing.assert_array_equal(plain["image"], np.stack(pixels))
    everything = evaluation_batches(dataset, np.arange(6), 4)
    assert everything.element_spec == tf.TensorSpec([None, 32, 24, 3], tf.uint8)
    assert [len(images) for images in everything] == [4, 2]


def test_a_batch_holds_what_the_sampler_drew(dataset: Any) -> None:
    records = np.flatnonzero(np.isin(dataset.labels, [10, 15, 40, 45, 50]))[::-1]
    batches = training_batches(dataset, records, P, K, SEED, 4, 9, OFF)
    labels, sources = dataset.labels[records], dataset.sources[records]
    sampler = IdentitySampler(labels, sources, P, K, SEED)
    for step, batch in enumerate(batches.as_numpy_iterator(), start=4):
        expected = records[sampler.batch(step)]
        np.testing.assert_array_equal(batch["record"], expected)
        np.testing.assert_array_equal(batch["source"], dataset.sources[expected])
        dense = np.searchsorted([10, 15, 40, 45, 50], dataset.labels[expected])
        np.testing.assert_array_equal(batch["label"], dense)
        pixels = np.stack([dataset.pixels(record) for record in expected])
        np.testing.assert_array_equal(batch["image"], pixels)


def test_dense_labels_cover_the_chosen_records(dataset: Any) -> None:
    records = np.flatnonzero(np.isin(dataset.labels, [5, 20, 55]))
    dense = dense_labels(dataset, records)
    assert dense.class_count == 3
    assert dense.labels.dtype == np.int32
    np.testing.assert_array_equal(dense.classes, [5, 20, 55])
    np.testing.assert_array_equal(dense.classes[dense.labels], dataset.labels[records])


def test_step_1000_is_the_same_bytes_fresh_and_resumed(dataset: Any) -> None:
    fresh = steps(dataset, 0, 1001, ON)[1000]
    assert same_bytes(fresh, steps(dataset, 1000, 1001, ON)[0])
    assert same_bytes(fresh, steps(dataset, 990, 1010, ON)[10])


def test_parallel_calls_keep_order_and_bytes(dataset: Any) -> None:
    once, again = steps(dataset, 0, 40, ON), steps(dataset, 0, 40, ON)
    assert all(same_bytes(one, other) for one, other in zip(once, again, strict=True))
    assert len({batch["image"].tobytes() for batch in once}) == 40


def shared_steps(dataset: Any, share: Share) -> list[dict]:
    records = np.arange(len(dataset.labels))
    batches = training_batches(dataset, records, P, K, SEED, 5, 9, ON, share=share)
    return list(batches.as_numpy_iterator())


@pytest.mark.parametrize("parts", [2, 3, 6])
def test_readers_of_parts_have_between_them_what_one_reader_has(dataset: Any, parts: int) -> None:
    alone = steps(dataset, 5, 9, ON)
    readers = [shared_steps(dataset, Share(parts, first)) for first in range(parts)]
    for step, whole in enumerate(alone):
        elements = [reader[step] for reader in readers]
        joined = {name: np.concatenate([part[name] for part in elements]) for name in whole}
        assert same_bytes(joined, whole)


def test_a_reader_of_two_parts_gives_them_one_after_the_other(dataset: Any) -> None:
    both = shared_steps(dataset, Share(3, 1, 2))
    second, third = (shared_steps(dataset, Share(3, first)) for first in (1, 2))
    expected = [part for pair in zip(second, third, strict=True) for part in pair]
    assert all(same_bytes(one, other) for one, other in zip(both, expected, strict=True))


def test_a_batch_that_does_not_divide_is_refused(dataset: Any) -> None:
    with pytest.raises(InputError, match=r"identities-per-batch 3 x .* divide by the 4 replicas"):
        shared_steps(dataset, Share(4))


def test_augmentation_changes_pixels_and_nothing_else(dataset: Any) -> None:
    for plain, varied in zip(steps(dataset, 0, 5, OFF), steps(dataset, 0, 5, ON), strict=True):
        assert (plain["image"] != varied["image"]).any((1, 2, 3)).all()
        del plain["image"], varied["image"]
        assert same_bytes(plain, varied)


def test_copies_carry_their_source(dataset: Any) -> None:
    index = dataset.index.copy()
    first = np.flatnonzero(dataset.labels == 0)
    assert len(first) == 3
    index[first, 4] = [70, 70, 71]
    copies = dataclasses.replace(dataset, index=index)
    records = np.flatnonzero(dataset.labels <= 5)
    for batch in training_batches(copies, records, 2, 3, SEED, 0, 8, OFF).as_numpy_iterator():
        drawn = np.isin(batch["record"], first)
        assert set(batch["source"][drawn]) == {70, 71}
        np.testing.assert_array_equal(batch["source"], copies.sources[batch["record"]])


@pytest.mark.parametrize("color", ["rgb", "grey"])
@pytest.mark.parametrize("encoding", [".jpg", ".png"])
def test_decoding_equals_opencv(
    tmp_path: Path, write_dataset: Callable, color: str, encoding: str
) -> None:
    dataset = write_dataset(tmp_path, [0] * 6, color, encoding, size=45)
    (images,) = evaluation_batches(dataset, np.arange(6), 6).as_numpy_iterator()
    expected = np.stack([dataset.pixels(record) for record in range(6)])
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, expected)


def test_grey_crops_train_too(tmp_path: Path, write_dataset: Callable) -> None:
    dataset = write_dataset(tmp_path, [0, 0, 1, 1, 2, 2], "grey")
    for batch in steps(dataset, 0, 2, ON):
        assert batch["image"].shape == (P * K, 32, 32, 1)


@pytest.mark.parametrize("batch_size", [1, 7, 10, 64])
def test_evaluation_gives_all_records_in_order(dataset: Any, batch_size: int) -> None:
    records = np.random.default_rng(0).permutation(len(dataset.labels))[:30]
    batches = list(evaluation_batches(dataset, records, batch_size).as_numpy_iterator())
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    expected = np.stack([dataset.pixels(record) for record in records])
    np.testing.assert_array_equal(np.concatenate(batches), expected)


def test_evaluation_of_no_records_is_empty(dataset: Any) -> None:
    assert list(evaluation_batches(dataset, np.array([], np.int64), 8)) == []


def with_reader(dataset: Any, read: Callable) -> SimpleNamespace:
    return SimpleNamespace(
        directory=dataset.directory,
        labels=dataset.labels,
        sources=dataset.sources,
        preprocessing=dataset.preprocessing,
        read=read,
    )


def test_payloads_keep_their_last_zero_bytes(dataset: Any) -> None:
    """An Example may end in zero bytes, for one with the label 0 in its last feature."""
    label = tf.train.Feature(int64_list=tf.train.Int64List(value=[0]))
    last = tf.train.Example(features=tf.train.Features(feature={"image/zero": label}))
    tail = last.SerializeToString()
    assert tail.endswith(b"\0")

    zeros = with_reader(dataset, lambda records: [p + tail for p in dataset.read(records)])
    (images,) = evaluation_batches(zeros, np.arange(4), 4).as_numpy_iterator()
    np.testing.assert_array_equal(images[3], dataset.pixels(3))


def test_damage_is_not_passed_over(dataset: Any) -> None:
    def read(records: np.ndarray) -> list[bytes]:
        raise InputError("shard-00000: record 5 is damaged")

    damaged = with_reader(dataset, read)
    with pytest.raises(tf.errors.OpError, match="record 5 is damaged"):
        steps(damaged, 0, 1, OFF)
    with pytest.raises(tf.errors.OpError, match="record 5 is damaged"):
        list(evaluation_batches(damaged, np.arange(4), 2))
    with pytest.raises(InputError) as told:
        list(evaluation_arrays(damaged, np.arange(4), 2))
    assert "\n" not in str(told.value) and "record 5 is damaged" in str(told.value)


def test_bad_options_are_refused_at_once(dataset: Any) -> None:
    records = np.arange(len(dataset.labels))
    with pytest.raises(InputError, match="--identities-per-batch 13: only 12"):
        training_batches(dataset, records, 13, K, SEED, 0, 1, OFF)
    with pytest.raises(InputError, match=r"augmentation.flip 2"):
        training_batches(dataset, records, P, K, SEED, 0, 1, Augmentation(flip=2.0))


def sampled(dataset: Any, augmentation: Augmentation = OFF, **options: Any) -> list[dict]:
    records = np.arange(len(dataset.labels))
    batches = training_batches(dataset, records, 4, K, SEED, 2, 8, augmentation, **options)
    return list(batches.as_numpy_iterator())


@pytest.mark.parametrize("sampling", [Sampling("sqrt"), Sampling("images", hard=0.5)])
def test_sampling_and_its_state_reach_the_sampler(dataset: Any, sampling: Sampling) -> None:
    confused = ((np.arange(12) + 1) % 12)[:, None]
    sampler = IdentitySampler(
        dataset.labels, dataset.sources, 4, K, SEED, False, sampling, confused
    )
    for step, batch in enumerate(sampled(dataset, sampling=sampling, confused=confused), start=2):
        np.testing.assert_array_equal(batch["record"], sampler.batch(step))


def test_mixed_batches_say_what_is_in_them(dataset: Any) -> None:
    for plain, mixed in zip(sampled(dataset), sampled(dataset, mixup=0.4), strict=True):
        assert set(mixed) - set(plain) == {"other_label", "share"}
        assert sorted(mixed["other_label"]) == sorted(plain["label"])
        for position in range(4 * K):
            share, other = mixed["share"][position], mixed["other_label"][position]
            parts = [
                share * plain["image"][position]
                + (1 - share) * plain["image"][partner].astype(float)
                for partner in np.flatnonzero(plain["label"] == other)
            ]
            assert min(np.abs(mixed["image"][position] - part).max() for part in parts) <= 0.51
        for name in ("label", "source", "record"):
            np.testing.assert_array_equal(mixed[name], plain[name])


def test_readers_of_parts_mix_as_one_reader_does(dataset: Any) -> None:
    alone = sampled(dataset, ON, mixup=0.4)
    readers = [sampled(dataset, ON, mixup=0.4, share=Share(2, first)) for first in range(2)]
    for step, whole in enumerate(alone):
        joined = {
            name: np.concatenate([reader[step][name] for reader in readers]) for name in whole
        }
        assert same_bytes(joined, whole)
