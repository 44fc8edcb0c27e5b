"""Writes which networks embed faster under XLA: from a measurement into the package.

    python benchmarks/embedding_forms.py [REPORT]

REPORT is what `benchmarks/embedding.py --output` wrote, benchmarks/results/embedding.json unless
another is named. XLA is chosen where its slowest turn was faster than the graph's fastest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facenet_tf.models.forms import TABLE

REPORT = Path(__file__).with_name("results") / "embedding.json"


def main() -> None:
    report = json.loads(Path(sys.argv[1] if sys.argv[1:] else REPORT).read_text())
    TABLE.write_text(json.dumps(forms(report), indent=1) + "\n")


def forms(report: Mapping[str, Any]) -> dict[str, Any]:
    """The table of the package, see `facenet_tf.models.forms`."""
    found: dict[str, list[int]] = {}
    measured = sorted((*_of(key), metric["range"]) for key, metric in report["metrics"].items())
    for name, batch, ranges in measured:
        if _is_faster(ranges.get("xla"), ranges.get("graph")):
            found.setdefault(name, []).append(batch)
    return {
        "commit": report["commit"],
        "machine": report["machine"],
        "batches": sorted({batch for _, batch, _ in measured}),
        "xla": found,
    }


def _of(key: str) -> tuple[str, int]:
    name, _, batch = key.rpartition("_batch")
    return name, int(batch)


def _is_faster(one: Sequence[float] | None, other: Sequence[float] | None) -> bool:
    """Of two ranges of speeds, one of which may have failed."""
    return one is not None and (other is None or one[0] > other[1])


if __name__ == "__main__":
    main()
