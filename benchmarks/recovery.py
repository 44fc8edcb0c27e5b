"""How many faces of hard pictures are found, on which rung, and how exactly.

    python benchmarks/recovery.py DIRECTORY [--sizes 100 64 40 24] [--limit N] [--quick]
        [--output FILE]

DIRECTORY holds pictures of one face each, PERSON/FILE.jpg, such as PubFig83 (100 x 100). They are
shrunk (cv2.INTER_AREA) until the longer side has each of the sizes; a picture that is no larger is
taken as it is. "ours" is the share with a face, "first_sight" what detection alone finds. The
distances are those of the landmarks from the landmarks in the whole picture, mean over the five
points, in pixels of the whole picture and as a fraction of the distance between the eyes there; of
several faces the builder's choice counts. Beyond half that distance it is "elsewhere": another face
or none. "cost" is the processor's time for a picture of 250 x 250 without a face, made from
scikit-image's photographs. --limit takes that many pictures, drawn with a seed.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import report
from scenes import faceless
from second_look import looks

from facenet_tf.detection import Detector, Face, select_face
from facenet_tf.detection.mtcnn import MtcnnDetector
from facenet_tf.detection.recovery import recover
from facenet_tf.pictures import decode_picture

SEED = 0
ELSEWHERE = 0.5


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("directory", type=Path, help="pictures as PERSON/FILE.jpg")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 64, 40, 24])
    parser.add_argument("--limit", type=int, help="take that many pictures only")
    options = parser.parse_args()
    limit = 200 if options.quick else options.limit
    paths = sample(sorted(options.directory.glob("*/*.jpg")), limit)
    detector = MtcnnDetector()
    whole = list(looked_at(detector, paths, None))
    sizes = {size: figures(whole, at_size(detector, whole, size)) for size in options.sizes}
    report.publish(
        "recovery",
        {f"found_{size}": metric(size_figures) for size, size_figures in sizes.items()},
        options.output,
        detector=detector.describe(),
        sample_seed=SEED if limit else None,
        sizes=sizes,
        cost=cost(detector, 5 if options.quick else 40),
    )


def sample(paths: list[Path], limit: int | None) -> list[Path]:
    if limit is None or limit >= len(paths):
        return paths
    chosen = np.random.default_rng(SEED).choice(len(paths), limit, replace=False)
    return [paths[number] for number in sorted(chosen)]


@dataclasses.dataclass(frozen=True, eq=False)
class Look:
    """What came of one picture."""

    path: Path
    side: int
    """The longer one of the whole picture."""
    rung: str
    """"" for first sight."""
    landmarks: np.ndarray | None
    """In the whole picture; None without a face."""


def looked_at(detector: Detector, paths: Sequence[Path], size: int | None) -> Iterator[Look]:
    """What is found in pictures that are shrunk to `size`."""
    sides: list[tuple[np.ndarray, tuple[int, ...]]] = []  # of the whole pictures, of those shown

    def pictures() -> Iterator[np.ndarray]:
        for path in paths:
            whole = decode_picture(path.read_bytes())
            shown = shrunk(whole, size) if size else whole
            sides.append((np.array(whole.shape[1::-1]), shown.shape))
            yield shown

    for number, found in enumerate(looks(detector, pictures(), len(paths))):
        whole, shape = sides[number]
        face = select_face(found.faces, shape, "largest_central")
        landmarks = placed(face, whole / shape[1::-1]) if face else None
        yield Look(paths[number], int(max(whole)), found.rung, landmarks)


def at_size(detector: Detector, whole: Sequence[Look], size: int) -> Sequence[Look]:
    if all(look.side <= size for look in whole):
        return whole
    return list(looked_at(detector, [look.path for look in whole], size))


def shrunk(picture: np.ndarray, size: int) -> np.ndarray:
    height, width = picture.shape[:2]
    factor = size / max(height, width)
    if factor >= 1:
        return picture
    sides = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(picture, sides, interpolation=cv2.INTER_AREA)


def placed(face: Face, ratio: np.ndarray) -> np.ndarray:
    """Landmarks in a picture that is larger by `ratio`."""
    return (face.landmarks + 0.5) * ratio - 0.5


def figures(whole: Sequence[Look], shown: Sequence[Look]) -> dict[str, Any]:
    found = [look for look in shown if look.landmarks is not None]
    rungs = collections.Counter(look.rung or "first_sight" for look in found)
    pairs = [
        (look.rung, look.landmarks, expected.landmarks)
        for expected, look in zip(whole, shown, strict=True)
        if look.landmarks is not None and expected.landmarks is not None
    ]
    recovered = [pair for pair in pairs if pair[0]]
    missing = [look.path for look in shown if look.landmarks is None]
    return {
        "pictures": len(shown),
        "found": len(found),
        "rungs": dict(rungs.most_common()),
        "missing": [f"{path.parent.name}/{path.name}" for path in missing],
        "distances": {
            "all": distances([pair[1:] for pair in pairs]),
            "recovered": distances([pair[1:] for pair in recovered]),
        },
    }


def distances(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any] | None:
    if not pairs:
        return None
    pixels = np.array([np.linalg.norm(a - b, axis=1).mean() for a, b in pairs])
    eyes = np.array([np.linalg.norm(b[1] - b[0]) for _, b in pairs])
    return {
        "faces": len(pairs),
        "pixels": quantiles(pixels),
        "of_eye_distance": quantiles(pixels / eyes),
        "elsewhere": int((pixels / eyes > ELSEWHERE).sum()),
    }


def quantiles(values: np.ndarray) -> dict[str, float]:
    return {str(share): float(np.quantile(values, share)) for share in (0.5, 0.9, 0.99)}


def metric(size_figures: dict[str, Any]) -> dict[str, Any]:
    count = size_figures["pictures"]
    first = size_figures["rungs"].get("first_sight", 0)
    return {
        "ours": 100 * size_figures["found"] / count,
        "peers": {"first_sight": 100 * first / count},
        "ratio": {},
        "unit": f"% of {count} pictures",
    }


def cost(detector: Detector, count: int) -> dict[str, Any]:
    """Milliseconds of the processor for a picture without a face, one at a time."""
    pictures = [cv2.resize(picture, (250, 250)) for picture in faceless(count, SEED)]
    pictures = [picture for picture in pictures if not detector.detect([picture])[0]]
    pictures = [picture for picture in pictures if recover(detector, [picture]) == [None]]
    runs = {"first_sight": detector.detect, "ladder": functools.partial(recover, detector)}
    spent = {}
    for name, run in runs.items():
        start = time.process_time()
        for picture in pictures:
            run([picture])
        spent[name] = 1000 * (time.process_time() - start) / len(pictures)
    return {"pictures": len(pictures), "milliseconds_of_processor_time": spent}


if __name__ == "__main__":
    main()
