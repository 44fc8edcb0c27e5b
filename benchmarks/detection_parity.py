"""Whether our cascade finds the faces of `mtcnn` 1.0.0 in 2,050 photographs and some scenes.

    python benchmarks/detection_parity.py DATA [--engine NAME] [--quick] [--output FILE]

DATA holds lfw/images and pubfig83. The package need not run: its faces are kept as numbers (see
detection_reference.py). Every picture is compared, and every mismatch is listed: another number of
faces, or a coordinate of a box or a landmark that is more than 0.05 pixels away. Pictures whose
pixels are not those of the reference (another JPEG decoder) are listed too. Exits with 1 if
anything is listed.
"""

from __future__ import annotations

import collections
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import report
from reference_faces import (
    TOLERANCE,
    Expected,
    checksum,
    largest_difference,
    mismatch,
    read_reference,
)
from reference_pictures import photograph
from scenes import parity_scenes
from tqdm import tqdm

from facenet_tf.detection.engines import EngineName
from facenet_tf.detection.face import Face
from facenet_tf.detection.mtcnn import MtcnnDetector

BATCH = 16


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("data", type=Path, help="directory with lfw/images and pubfig83")
    parser.add_argument("--engine", choices=get_args(EngineName), default="litert")
    options = parser.parse_args()
    reference = read_reference()[:: 10 if options.quick else 1]
    result = compare(options.data, MtcnnDetector(engine=options.engine), reference)
    listed = len(result["mismatches"]) + len(result["other_pixels"])
    metrics = {
        "mismatches": {
            "ours": len(result["mismatches"]),
            "peers": {},
            "ratio": {},
            "unit": f"of {len(reference)} pictures",
        }
    }
    more = {"engine": options.engine, "tolerance": TOLERANCE, **result}
    report.publish("detection_parity", metrics, options.output, **more)
    sys.exit(1 if listed else 0)


def compare(data: Path, detector: MtcnnDetector, reference: list[Expected]) -> dict[str, Any]:
    scenes = parity_scenes()
    differences, wrong, other_pixels = [], [], []
    kinds: collections.Counter[str] = collections.Counter()
    for start in tqdm(range(0, len(reference), BATCH), unit="batch"):
        batch = reference[start : start + BATCH]
        pictures = [scenes[e.name] if e.name in scenes else photograph(data, e.name) for e in batch]
        for expected, picture, faces in zip(batch, pictures, detector.detect(pictures)):
            kinds[expected.name.split("/")[0]] += 1
            other_pixels += [expected.name] if checksum(picture) != expected.checksum else []
            wrong.append(mismatch(expected, faces))
            differences.append(_difference(expected, faces))
    return {
        "pictures": dict(kinds),
        "faces": sum(len(expected.faces) for expected in reference),
        "largest_difference": float(np.nanmax(differences)),
        "mismatches": [entry for entry in wrong if entry],
        "other_pixels": other_pixels,
    }


def _difference(expected: Expected, faces: list[Face]) -> float:
    same = len(faces) == len(expected.faces)
    return largest_difference(expected.faces, faces) if same else float("nan")


if __name__ == "__main__":
    main()
