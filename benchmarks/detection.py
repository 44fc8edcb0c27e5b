"""How fast our cascade finds faces, against the package `mtcnn` 1.0.0, per process.

    python benchmarks/detection.py [--data DIR] [--engine NAME] [--quick] [--output FILE]

The same pictures of 250 x 250 and of 640 x 480 go through our detector (in batches, as in the
builder, and one by one), the package (one by one), and the package given lists of pictures of one
size. All run alternately in one process on one thread: TensorFlow's two thread pools, OpenCV and
BLAS are set to one thread each before the first computation. The figures are pictures per second;
those named `cpu` count the processor's time instead of the clock's, which other programs on the
machine disturb less. Without --data (a directory with lfw/images) the pictures are made from
scikit-image's astronaut.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import report
import tensorflow as tf
import threadpoolctl
from mtcnn import MTCNN
from reference_pictures import photograph, photograph_names
from scenes import astronaut, crowd

from facenet_tf.detection.engines import EngineName
from facenet_tf.detection.mtcnn import MtcnnDetector

Run = Callable[[Sequence[np.ndarray]], object]
BATCH = 16
LIST = 8


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--data", type=Path, help="directory with lfw/images")
    parser.add_argument("--engine", choices=get_args(EngineName), default="litert")
    options = parser.parse_args()
    use_one_thread()
    rounds, count = (2, 8) if options.quick else (7, 16)
    runs = contenders(MtcnnDetector(engine=options.engine), MTCNN())
    metrics = {}
    for size, pictures in sets(options.data, count).items():
        timed = {name: timer(run, pictures) for name, run in runs.items()}
        figures = report.alternate(timed, rounds)
        for column, name in enumerate((size, f"{size}_cpu")):
            speeds = {key: [pair[column] for pair in pairs] for key, pairs in figures.items()}
            metrics[name] = report.metric(speeds.pop("ours"), speeds, "pictures/s")
    photographs = "photographs" if options.data else "made from scikit-image's astronaut"
    report.publish(
        "detection", metrics, options.output, engine=options.engine, pictures=photographs, threads=1
    )


def use_one_thread() -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    cv2.setNumThreads(1)
    threadpoolctl.threadpool_limits(1)


def contenders(detector: MtcnnDetector, package: MTCNN) -> dict[str, Run]:
    def lists(pictures: Sequence[np.ndarray]) -> None:
        for start in range(0, len(pictures), LIST):
            package.detect_faces(list(pictures[start : start + LIST]), output_type="numpy")

    return {
        "ours": lambda pictures: [
            detector.detect(pictures[start : start + BATCH])
            for start in range(0, len(pictures), BATCH)
        ],
        "ours_one_by_one": lambda pictures: [detector.detect([picture]) for picture in pictures],
        "mtcnn_1.0.0": lambda pictures: [
            package.detect_faces(picture, output_type="numpy") for picture in pictures
        ],
        "mtcnn_1.0.0_lists": lists,
    }


def timer(run: Run, pictures: Sequence[np.ndarray]) -> Callable[[], tuple[float, float]]:
    """Pictures per second of the clock, and of the processor's time."""

    def speeds() -> tuple[float, float]:
        clock, processor = time.perf_counter(), time.process_time()
        run(pictures)
        spent = time.perf_counter() - clock, time.process_time() - processor
        return len(pictures) / spent[0], len(pictures) / spent[1]

    return speeds


def sets(data: Path | None, count: int) -> dict[str, list[np.ndarray]]:
    """Pictures by size."""
    if data is None:
        return {"250x250": small_scenes(count), "640x480": large_scenes(count)}
    names = photograph_names(data)
    kinds = {"250x250": "lfw", "640x480": "enlarged"}
    return {
        size: [photograph(data, name) for name in names if name.startswith(f"{kind}/")][:count]
        for size, kind in kinds.items()
    }


def small_scenes(count: int) -> list[np.ndarray]:
    half = cv2.resize(astronaut(), (256, 256), interpolation=cv2.INTER_AREA)
    return [noisy(half[number % 6 : 250 + number % 6, :250], number) for number in range(count)]


def large_scenes(count: int) -> list[np.ndarray]:
    return [noisy(crowd(), number) for number in range(count)]


def noisy(picture: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-8, 9, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
