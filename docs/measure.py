"""Measures every run and every pretrained network that is there, and refreshes the tables.

    make results [RUNS=runs] [DATA=data] [LISTS=.]
    python docs/measure.py [--runs runs] [--data data] [--lists .] [--only NAME …] [--continue]

RUNS holds run directories of train.py, DATA dataset directories of build_tfrecords.py, LISTS LFW's
files of pairs. What MEASUREMENTS names is measured if its run, dataset and list are there, and its
evaluation.json, config.json and history.csv are copied to docs/results/NAME; any other run is
measured on the dataset that it was trained on, by the same recipe. evaluation.json and report.html
are written in the run directories, those of weights of others in RUNS/NAME. What could not be
measured is listed with the reason; the command fails if an evaluation does.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import figures
import tables

from facenet_tf.provenance import git_revision

ROOT = figures.DOCS.parent
THOROUGH = (
    *("--classical", "eigenfaces", "fisherfaces", "lbp"),
    *("--projection.methods", "pca", "tsne"),
    *("--learning-curve.draws", "5"),
    *("--robustness.kinds", "low_resolution", "blur", "jpeg", "noise", "rotation", "occlusion"),
    *("--distractors.sizes", "1000", "10000", "100000", "1000000"),
)
"""Options of all measurements: protocols that a bare evaluate.py leaves out for their time."""

_DLIB = ("--weights", "dlib", "--flip-average")


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One call of evaluate.py.

    Attributes:
        name: directory below docs/results.
        dataset: directory below DATA.
        run: directory below RUNS; None for weights of others.
        recipe: file in configs, without ending.
        pairs: file in LISTS.
        options: further options.
        copied: whether docs/results keeps the figures.
    """

    name: str
    dataset: str
    run: str | None = None
    recipe: str | None = None
    pairs: str | None = None
    options: tuple[str, ...] = ()
    copied: bool = True


MEASUREMENTS = (
    Measurement("att", "att", run="att", recipe="att"),
    Measurement("att_pretrained", "att_dlib", options=_DLIB),
    Measurement("pubfig83", "pubfig83", run="pubfig83", recipe="pubfig83"),
    Measurement("pubfig83_cosface", "pubfig83", run="pubfig83_cosface", recipe="pubfig83"),
    Measurement("pubfig83_pretrained", "pubfig83_dlib", options=_DLIB),
    Measurement("pubfig83_dlib", "pubfig83_dlib", run="pubfig83_dlib", recipe="pubfig83_dlib"),
    Measurement("lfw_view1", "lfw_view1", "lfw_view1", "lfw_view1", "pairsDevTest.txt"),
    Measurement("lfw_view1_first", "lfw_view1", "lfw_view1_first", "lfw_view1", "pairsDevTest.txt"),
    Measurement(
        "lfw_view1_pretrained",
        "lfw_view1_dlib",
        pairs="pairsDevTest.txt",
        options=(*_DLIB, "--protocol", "lfw_view1"),
    ),
    Measurement(
        "lfw_view1_dlib", "lfw_view1_dlib", "lfw_view1_dlib", "lfw_view1_dlib", "pairsDevTest.txt"
    ),
    Measurement("lfw_view2_dlib", "lfw_dlib", None, "lfw_view2_dlib", "pairs.txt"),
    Measurement(
        "lfw_view2_dlib_single",
        "lfw_dlib",
        None,
        "lfw_view2_dlib",
        "pairs.txt",
        ("--no-flip-average",),
    ),
    Measurement(
        "lfw_view2_dlib_jitter",
        "lfw_dlib",
        None,
        "lfw_view2_dlib",
        "pairs.txt",
        ("--no-flip-average", "--jitter", "4"),
    ),
)


@dataclasses.dataclass(frozen=True)
class Places:
    """Where runs, datasets and lists of pairs are."""

    runs: Path
    data: Path
    lists: Path

    def output(self, each: Measurement) -> Path:
        return self.runs / each.run / "evaluation" if each.run else self.runs / each.name

    def missing(self, each: Measurement) -> str:
        """What it lacks, empty where it can be measured."""
        needed = [self.data / each.dataset / "dataset.json"]
        if each.run:
            needed.append(self.runs / each.run / "model.keras")
        if each.pairs:
            needed.append(self.lists / each.pairs)
        lacking = [str(path) for path in needed if not path.is_file()]
        if not each.run and importlib.util.find_spec("face_recognition_models") is None:
            lacking.append("the extra `pretrained`")
        return ", ".join(lacking)

    def command(self, each: Measurement) -> list[str]:
        """The call of evaluate.py."""
        run = [str(self.runs / each.run)] if each.run else []
        words = [*run, str(self.data / each.dataset), "--output", str(self.output(each))]
        if each.recipe:
            words += ["--config", str(ROOT / "configs" / f"{each.recipe}.py")]
        if each.pairs:
            words += ["--pairs", str(self.lists / each.pairs)]
        return [sys.executable, str(ROOT / "evaluate.py"), *words, *each.options, *THOROUGH]


def others(places: Places) -> Iterator[Measurement]:
    """Runs that no measurement names, on the dataset that each was trained on and as others are
    measured on it."""
    datasets = {
        json.loads(file.read_text())["fingerprint"]: file.parent.name
        for file in sorted(places.data.glob("*/dataset.json"))
    }
    named = {each.run for each in MEASUREMENTS}
    like = {each.dataset: each for each in reversed(MEASUREMENTS) if each.run}
    for model in sorted(places.runs.glob("*/model.keras")):
        run, config = model.parent.name, model.parent / "config.json"
        if run not in named and config.is_file():
            fingerprint = json.loads(config.read_text()).get("fingerprint")
            dataset = datasets.get(fingerprint, f"(its own, {fingerprint})")
            plain = Measurement(run, dataset, run=run)
            yield dataclasses.replace(like.get(dataset, plain), name=run, run=run, copied=False)


def measured_by(file: Path, revision: str) -> bool:
    """Whether this very code has written these figures."""
    return file.is_file() and json.loads(file.read_text()).get("git_revision") == revision


def keep(places: Places, each: Measurement) -> None:
    """Copy what docs/results keeps."""
    kept = figures.RESULTS / each.name
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(places.output(each) / "evaluation.json", kept)
    if each.run:
        for name in ("config.json", "history.csv"):
            if (places.runs / each.run / name).is_file():
                shutil.copy(places.runs / each.run / name, kept)


def measure(places: Places, only: Sequence[str] = (), go_on: bool = False) -> dict[str, str]:
    """Measure all that can be; {name: "measured", "failed", or what is missing}."""
    results = {}
    for each in (*MEASUREMENTS, *others(places)):
        if only and each.name not in only:
            continue
        results[each.name] = _one(places, each, go_on)
        print(f"{each.name}: {results[each.name]}", flush=True)
    return results


def _one(places: Places, each: Measurement, go_on: bool) -> str:
    missing = places.missing(each)
    if missing:
        return f"not measured, missing: {missing}"
    done = go_on and measured_by(places.output(each) / "evaluation.json", git_revision())
    if not done and subprocess.run(places.command(each)).returncode:
        return "failed"
    if each.copied:
        keep(places, each)
    return "measured before, by this commit" if done else "measured"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="run directories")
    parser.add_argument("--data", type=Path, default=Path("data"), help="dataset directories")
    parser.add_argument("--lists", type=Path, default=Path(), help="directory of LFW's pairs files")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these alone")
    parser.add_argument(
        "--continue",
        dest="go_on",
        action="store_true",
        help="leave what this very commit has measured",
    )
    given = parser.parse_args(argv)
    results = measure(Places(given.runs, given.data, given.lists), given.only, given.go_on)
    tables.refresh()
    return int("failed" in results.values())


if __name__ == "__main__":
    sys.exit(main())
