"""How fast training batches come into the train step, against decoding the same crops alone.

    python benchmarks/input_pipeline.py [--dataset DIR] [--size 112] [--quick] [--output FILE]

The limit is decoding on all cores and nothing else: OpenCV in threads, and TensorFlow's decoder in
a parallel map. Without --dataset the crops are synthetic: 1,000 JPEG pictures of smooth noise, as
the builder encodes them. The memory of the pipeline is measured over these and over a hundred times
as many, each time in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import report
import tensorflow as tf
from peak_memory import peak_memory

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.pipeline import training_batches
from facenet_tf.pictures import encode_crop
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.framing import frame

IDENTITIES_PER_BATCH, IMAGES_PER_IDENTITY = 18, 4
BATCH = IDENTITIES_PER_BATCH * IMAGES_PER_IDENTITY
PEOPLE, IMAGES_PER_PERSON = 50, 20
TIMES = 100
MEMORY_STEPS = 150


def synthetic_dataset(directory: Path, size: int, times: int = 1) -> FaceDataset:
    """1,000 crops, or `times` as many records of the same crops, of as many times the people."""
    directory.mkdir()
    rng = np.random.default_rng(0)
    framed = []
    for _ in range(PEOPLE * IMAGES_PER_PERSON):
        coarse = rng.integers(0, 256, (size // 6, size // 6, 3), np.uint8)
        pixels = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
        encoded = encode_crop(pixels, "jpeg", quality=95)
        value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded]))
        features = tf.train.Features(feature={"image/encoded": value})
        framed.append(frame(tf.train.Example(features=features).SerializeToString()))

    lengths = np.tile([len(record) for record in framed], times)
    records = np.arange(len(lengths))
    shards, offsets = np.zeros_like(records), np.cumsum(lengths) - lengths
    with (directory / "shard.tfrecord").open("wb") as shard:
        for _ in range(times):
            shard.writelines(framed)
    people = records // IMAGES_PER_PERSON
    index = np.stack([shards, offsets, lengths - 16, people, records, records], axis=1)
    np.save(directory / "index.npy", index)
    manifest = {
        "preprocessing": Preprocessing(size=size).to_dict(),
        "fingerprint": "",
        "identities": [{"name": str(p), "split": "train"} for p in range(PEOPLE * times)],
        "shards": [{"file": "shard.tfrecord"}],
    }
    (directory / "dataset.json").write_text(json.dumps(manifest))
    return opened(directory)


def opened(directory: Path) -> FaceDataset:
    manifest = json.loads((directory / "dataset.json").read_text())
    return FaceDataset(directory, manifest, np.load(directory / "index.npy", mmap_mode="r"))


def batches(dataset: FaceDataset, augmentation: Augmentation, steps: int) -> tf.data.Dataset:
    return training_batches(
        dataset,
        dataset.split("train"),
        IDENTITIES_PER_BATCH,
        IMAGES_PER_IDENTITY,
        seed=0,
        start_step=0,
        total_steps=steps,
        augmentation=augmentation,
    )


@tf.function
def step(iterator: tf.data.Iterator) -> tf.Tensor:
    """What takes a batch as the train step does, and does nothing with it."""
    batch = next(iterator)
    return tf.reduce_max(batch["image"][:, 0, 0, 0]) + tf.cast(batch["label"][0], tf.uint8)


def into_the_step(dataset: tf.data.Dataset, steps: int, warm_up: int) -> float:
    """Images per second."""
    # A new iterator each time: an old one would have prefetched while others had their turn.
    iterator = iter(dataset)
    for _ in range(warm_up):
        step(iterator)
    start = perf_counter()
    for _ in range(steps):
        step(iterator)
    return steps * BATCH / (perf_counter() - start)


def ours(dataset: FaceDataset, augmentation: Augmentation, steps: int) -> Callable[[], float]:
    warm_up = steps // 4  # tf.data finds out meanwhile how many batches to make at a time

    def images_per_second() -> float:
        # Longer than it is taken: at the end as much has been prefetched as at the beginning.
        longer = batches(dataset, augmentation, warm_up + 2 * steps)
        return into_the_step(longer, steps, warm_up)

    return images_per_second


def encoded_crops(dataset: FaceDataset, count: int) -> list[bytes]:
    records = np.resize(dataset.split("train"), count)
    examples = map(tf.train.Example.FromString, dataset.read(records))
    return [each.features.feature["image/encoded"].bytes_list.value[0] for each in examples]


def opencv(crops: list[bytes]) -> Callable[[], float]:
    pool = ThreadPoolExecutor(os.cpu_count())

    def decode(encoded: bytes) -> np.ndarray:
        return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)

    def images_per_second() -> float:
        start = perf_counter()
        for begin in range(0, len(crops), BATCH):
            np.stack(list(pool.map(decode, crops[begin : begin + BATCH])))
        return len(crops) / (perf_counter() - start)

    return images_per_second


def tensorflow(crops: list[bytes], size: int) -> Callable[[], float]:
    spec = tf.TensorSpec([size, size, 3], tf.uint8)
    encoded = tf.constant(np.array(crops, object).reshape(-1, BATCH))

    def decode(one: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_jpeg(one, channels=3, dct_method="INTEGER_ACCURATE")
        return tf.ensure_shape(image, spec.shape)

    decoded = tf.data.Dataset.from_tensor_slices(encoded).map(
        lambda batch: tf.map_fn(decode, batch, fn_output_signature=spec),
        num_parallel_calls=tf.data.AUTOTUNE,
    )

    def images_per_second() -> float:
        start = perf_counter()
        for _ in decoded:
            pass
        return len(crops) / (perf_counter() - start)

    return images_per_second


def speeds(dataset: FaceDataset, rounds: int, steps: int) -> dict[str, list[float]]:
    crops = encoded_crops(dataset, steps * BATCH)
    contenders = {
        "plain": ours(dataset, Augmentation(enabled=False), steps),
        "augmented": ours(dataset, Augmentation(), steps),
        "opencv_decode_only": opencv(crops),
        "tensorflow_decode_only": tensorflow(crops, dataset.preprocessing.size),
    }
    return report.alternate(contenders, rounds)


def memory(directory: Path) -> float:
    """MiB that the pipeline over a dataset takes at most in a process of its own."""
    command = [sys.executable, __file__, "--worker", str(directory)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_worker(directory: Path) -> None:
    def take() -> None:
        made = batches(opened(directory), Augmentation(), MEMORY_STEPS)
        into_the_step(made, MEMORY_STEPS, warm_up=0)

    print(peak_memory(take))


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--dataset", type=Path, help="dataset directory with training people")
    parser.add_argument("--size", type=int, default=112, help="side of synthetic crops in pixels")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        run_worker(options.worker)
        return
    rounds, steps = (3, 20) if options.quick else (7, 240)
    with tempfile.TemporaryDirectory() as scratch:
        once = synthetic_dataset(Path(scratch, "once"), options.size)
        dataset = FaceDataset.open(options.dataset) if options.dataset else once
        figures = speeds(dataset, rounds, steps)
        often = synthetic_dataset(Path(scratch, "often"), options.size, TIMES)
        taken = report.alternate(
            {"once": lambda: memory(once.directory), "often": lambda: memory(often.directory)},
            1 if options.quick else 3,
        )
    plain, augmented = figures.pop("plain"), figures.pop("augmented")
    size = dataset.preprocessing.size
    metrics = {
        f"decode_{size}": report.metric(plain, figures, "images/s"),
        f"decode_and_augment_{size}": report.metric(augmented, figures, "images/s"),
        f"memory_at_{TIMES}_times_the_data": report.metric(
            taken["often"], {"once_the_data": taken["once"]}, "MiB", less_is_better=True
        ),
    }
    report.publish("input_pipeline", metrics, options.output)


if __name__ == "__main__":
    main()
