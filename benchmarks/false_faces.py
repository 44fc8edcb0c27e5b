"""How many faces are made up: pictures without a face that the builder would accept.

    python benchmarks/false_faces.py [--quick] [--output FILE]

Noise, clouds and clippings of scikit-image's photographs and drawings, 500 pictures a seed, go
through detection and then through the recovery, as in the builder. Lower is better; "first_sight"
is what detection alone accepts, so that the difference is what the recovery adds.
"""

from __future__ import annotations

import statistics

import numpy as np
import report
from scenes import faceless
from tqdm import trange

from facenet_tf.detection.mtcnn import MtcnnDetector
from facenet_tf.detection.recovery import recover

PICTURES = 500
SEEDS = (2, 3, 4)


def main() -> None:
    options = report.parser(__doc__).parse_args()
    count, seeds = (100, SEEDS[:1]) if options.quick else (PICTURES, SEEDS)
    detector = MtcnnDetector()
    results = {seed: accepted(detector, faceless(count, seed)) for seed in seeds}
    first = [at_first for at_first, _ in results.values()]
    whole = [at_first + recovered for at_first, recovered in results.values()]
    metrics = {
        "accepted": {
            "ours": statistics.median(whole),
            "peers": {"first_sight": statistics.median(first)},
            "ratio": {},
            "range": {"ours": [min(whole), max(whole)], "first_sight": [min(first), max(first)]},
            "unit": f"of {count} pictures without a face",
        }
    }
    report.publish("false_faces", metrics, options.output, seeds=list(seeds))


def accepted(detector: MtcnnDetector, pictures: list[np.ndarray]) -> tuple[int, int]:
    """How many pictures give a face at first sight, and how many more on a second look."""
    left: list[np.ndarray] = []
    for start in trange(0, len(pictures), 25, desc="pictures", unit="batch"):
        batch = pictures[start : start + 25]
        left += [image for image, faces in zip(batch, detector.detect(batch)) if not faces]
    return len(pictures) - len(left), sum(found is not None for found in recover(detector, left))


if __name__ == "__main__":
    main()
