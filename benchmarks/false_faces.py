"""How many faces are made up: pictures without a face that the builder would accept.

    python benchmarks/false_faces.py [--quick] [--output FILE]

Noise, clouds and clippings of scikit-image's photographs and drawings, 500 pictures a seed, go
through detection and then through the recovery, as in the builder. Lower is better; "first_sight"
is what detection alone accepts, so that the difference is what the recovery adds, on the "rungs"
that are listed with all seeds together. The recovery was tuned on other seeds (11 and 12).
"""

from __future__ import annotations

import collections
import statistics
from collections.abc import Iterable

import report
from scenes import faceless
from second_look import looks

from facenet_tf.detection.mtcnn import MtcnnDetector
from facenet_tf.detection.recovery import Found

PICTURES = 500
SEEDS = (2, 3, 4)


def main() -> None:
    options = report.parser(__doc__).parse_args()
    count, seeds = (100, SEEDS[:1]) if options.quick else (PICTURES, SEEDS)
    detector = MtcnnDetector()
    rungs = {seed: rungs_of(looks(detector, faceless(count, seed), count)) for seed in seeds}
    first = [of_seed[""] for of_seed in rungs.values()]
    whole = [of_seed.total() for of_seed in rungs.values()]
    metrics = {
        "accepted": {
            "ours": statistics.median(whole),
            "peers": {"first_sight": statistics.median(first)},
            "ratio": {},
            "range": {"ours": [min(whole), max(whole)], "first_sight": [min(first), max(first)]},
            "unit": f"of {count} pictures without a face",
        }
    }
    together = sum(rungs.values(), collections.Counter())
    more = {"seeds": list(seeds), "rungs": {rung: together[rung] for rung in sorted(together)}}
    report.publish("false_faces", metrics, options.output, **more)


def rungs_of(results: Iterable[Found]) -> collections.Counter[str]:
    """How many faces were accepted on each rung, "" being first sight."""
    return collections.Counter(found.rung for found in results if found.faces)


if __name__ == "__main__":
    main()
