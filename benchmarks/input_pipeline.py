"""How fast training batches come, against decoding the same crops with OpenCV on all cores.

    python benchmarks/input_pipeline.py [--dataset DIR] [--size 112] [--quick] [--output FILE]

Without --dataset the crops are synthetic: 1,000 JPEG pictures of smooth noise.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import report
import tensorflow as tf

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.pipeline import training_batches
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.framing import frame

IDENTITIES_PER_BATCH, IMAGES_PER_IDENTITY = 18, 4
BATCH = IDENTITIES_PER_BATCH * IMAGES_PER_IDENTITY
PEOPLE, IMAGES_PER_PERSON = 50, 20


def synthetic_dataset(directory: Path, size: int) -> FaceDataset:
    rng = np.random.default_rng(0)
    rows, offset = [], 0
    with (directory / "shard.tfrecord").open("wb") as shard:
        for record in range(PEOPLE * IMAGES_PER_PERSON):
            coarse = rng.integers(0, 256, (size // 6, size // 6, 3), np.uint8)
            pixels = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
            encoded = cv2.imencode(".jpg", pixels)[1].tobytes()
            value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded]))
            features = tf.train.Features(feature={"image/encoded": value})
            payload = tf.train.Example(features=features).SerializeToString()
            person = record // IMAGES_PER_PERSON
            rows.append([0, offset, len(payload), person, record, record])
            offset += shard.write(frame(payload))
    manifest = {
        "preprocessing": Preprocessing(size=size).to_dict(),
        "fingerprint": "",
        "identities": [{"name": str(person), "split": "train"} for person in range(PEOPLE)],
        "shards": [{"file": "shard.tfrecord"}],
    }
    return FaceDataset(directory, manifest, np.array(rows, np.int64))


def pipeline(dataset: FaceDataset, augmentation: Augmentation, steps: int) -> Callable[[], float]:
    def images_per_second() -> float:
        # A new one each time: an old one would have prefetched while the others had their turn.
        warm_up = 10
        batches = training_batches(
            dataset,
            dataset.split("train"),
            IDENTITIES_PER_BATCH,
            IMAGES_PER_IDENTITY,
            seed=0,
            start_step=0,
            total_steps=warm_up + steps,
            augmentation=augmentation,
        )
        iterator = iter(batches)
        for _ in range(warm_up):
            next(iterator)
        start = time.perf_counter()
        for _ in range(steps):
            next(iterator)
        return steps * BATCH / (time.perf_counter() - start)

    return images_per_second


def opencv(dataset: FaceDataset, steps: int) -> Callable[[], float]:
    payloads = dataset.read(dataset.split("train")[: steps * BATCH])
    crops = [
        tf.train.Example.FromString(payload).features.feature["image/encoded"].bytes_list.value[0]
        for payload in payloads
    ]
    crops = (crops * (steps * BATCH // len(crops) + 1))[: steps * BATCH]
    pool = ThreadPoolExecutor(os.cpu_count())

    def decode(encoded: bytes) -> np.ndarray:
        return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)

    def images_per_second() -> float:
        start = time.perf_counter()
        for begin in range(0, len(crops), BATCH):
            np.stack(list(pool.map(decode, crops[begin : begin + BATCH])))
        return len(crops) / (time.perf_counter() - start)

    return images_per_second


def measure(dataset: FaceDataset, rounds: int, steps: int) -> dict[str, list[float]]:
    contenders = {
        "plain": pipeline(dataset, Augmentation(enabled=False), steps),
        "augmented": pipeline(dataset, Augmentation(), steps),
        "opencv": opencv(dataset, steps),
    }
    return report.alternate(contenders, rounds)


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--dataset", type=Path, help="dataset directory with training people")
    parser.add_argument("--size", type=int, default=112, help="side of synthetic crops in pixels")
    options = parser.parse_args()
    rounds, steps = (3, 20) if options.quick else (7, 60)
    with tempfile.TemporaryDirectory() as scratch:
        if options.dataset:
            dataset = FaceDataset.open(options.dataset)
        else:
            dataset = synthetic_dataset(Path(scratch), options.size)
        speeds = measure(dataset, rounds, steps)
    peers = {"opencv_decode_only": speeds["opencv"]}
    size = dataset.preprocessing.size
    metrics = {
        f"decode_{size}": report.metric(speeds["plain"], peers, "images/s"),
        f"decode_and_augment_{size}": report.metric(speeds["augmented"], peers, "images/s"),
    }
    report.publish("input_pipeline", metrics, options.output)


if __name__ == "__main__":
    main()
