"""Writes the tables of README.md, the results and docs/models.md from what is in docs/results.

    python docs/tables.py [--check]

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``. docs/results/RUN holds
evaluation.json, config.json and history.csv as the commands wrote them, docs/results/architectures
what `python -m facenet_tf.models` did; without that directory, or the JSON of a benchmark, the
table says that it was not measured yet. --check writes nothing and fails where a document and its
figures differ.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import partial

import tables_of_benchmarks as benchmarks
import tables_of_models as models
import tables_of_pretrained as pretrained
import tables_of_protocols as protocols
import tables_of_transfer as transfer
from figures import DOCS, NotMeasuredError

DOCUMENTS = [
    DOCS.parent / "README.md",
    *(DOCS / f"{name}.md" for name in ("results", "results_protocols", "models")),
    *sorted(DOCS.glob("protocols/*.md")),
]
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

TABLES = {
    "att-readme": models.demonstration_readme,
    "att": lambda: models.identification("att", pretrained=True),
    "pubfig83": lambda: models.identification("pubfig83"),
    "stages": models.stages,
    "budgets": models.budgets,
    "architectures": models.architectures,
    "lfw-view1": models.view1,
    "lfw-view2": pretrained.view2,
    "pubfig83-pretrained": lambda: pretrained.seen_people("pubfig83_pretrained"),
    "headlines": models.headlines,
    "runs": models.runs,
    "outcomes": models.outcomes,
    "false-faces": benchmarks.false_faces,
    "detection": benchmarks.detection,
    "parity": benchmarks.parity,
    "recovery": benchmarks.recovery,
    "build": benchmarks.build,
    "interruptions": benchmarks.interruptions,
    "corruption": benchmarks.corruption,
    "label-noise": benchmarks.label_noise,
    "nn2": lambda: models.first_steps("nn2_pubfig83"),
    "nn2-cosface": lambda: models.first_steps("nn2_pubfig83_cosface"),
    "train-step": benchmarks.train_step,
    "input-pipeline": lambda: benchmarks.versus("input_pipeline.json"),
    "depthwise": lambda: benchmarks.versus("depthwise.json"),
    "training-peers": lambda: benchmarks.versus("training.json"),
    "determinism": benchmarks.determinism,
    "accumulation": lambda: benchmarks.versus("accumulation.json"),
    "training-interruptions": lambda: benchmarks.versus("training_interruptions.json"),
    "ablation": benchmarks.ablation,
    "triplet-losses": benchmarks.triplet_losses,
    "tiles": benchmarks.tiles,
    "partial-fc": benchmarks.partial_fc,
    "few-shot": transfer.few_shot,
    "fine-tuning": transfer.fine_tuning,
    "embedding": transfer.embedding,
    "search": benchmarks.search,
    "side-by-side": protocols.side_by_side,
    **{
        f"protocols-{run}": partial(protocols.every_protocol, run)
        for run in protocols.SYSTEMS.values()
    },
    "verification": lambda: benchmarks.versus("verification.json"),
}


def filled(text: str) -> str:
    """A document with all its tables as the files of the results have them."""
    return BLOCK.sub(lambda match: match[1] + written(match[2]) + match[3], text)


def written(name: str) -> str:
    try:
        return TABLES[name]()
    except NotMeasuredError:
        return "*not measured yet*\n"


def refresh(write: bool = True) -> list[str]:
    """Write the documents whose tables have changed; returns their names."""
    stale = []
    for document in DOCUMENTS:
        text = document.read_text()
        if filled(text) != text:
            stale.append(document.name)
            if write:
                document.write_text(filled(text))
    return stale


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    check = parser.parse_args().check
    stale = refresh(write=not check)
    if check and stale:
        print(f"{', '.join(stale)}: run python docs/tables.py", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
