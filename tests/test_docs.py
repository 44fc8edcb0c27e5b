"""The documentation names what exists, its commands parse, its Python runs, its tables are true."""

import contextlib
import csv
import importlib
import io
import itertools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facenet_tf import cli, models
from facenet_tf.commands.fetch_dataset import FetchConfig
from facenet_tf.commands.train import configured
from facenet_tf.commands.verify_dataset import VerifyConfig
from facenet_tf.curation.config import DuplicatesConfig, LabelsConfig, OverlapConfig
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.losses import losses
from facenet_tf.models.__main__ import TableConfig
from facenet_tf.models.facenet import BLOCKS
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.pretrained.__main__ import ConvertConfig
from facenet_tf.pretrained.template import TemplateConfig
from facenet_tf.records import layout, rows, schema
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.manifest import make_manifest
from facenet_tf.records.source import Source
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.heads import check_head
from facenet_tf.training.plot import PlotConfig

from .models import test_deepface, test_inception_resnet, test_mbf, test_mobile_facenet
from .models.test_facenet import WEIGHTS

ROOT = Path(__file__).parent.parent
LOSSES = ROOT / "docs" / "losses.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {
    "data_prep/build_tfrecords.py": (BuildConfig, "build"),
    "data_prep/verify_dataset.py": (VerifyConfig, "verify"),
    "data_prep/fetch_dataset.py": (FetchConfig, "fetch"),
    "train.py": (TrainConfig, "train"),
    "facenet_tf.training.plot": (PlotConfig, "plot"),
    "facenet_tf.pretrained": (ConvertConfig, "convert"),
    "facenet_tf.models": (TableConfig, "models"),
    "evaluate.py": (EvaluateConfig, "evaluate"),
    "data_prep/find_duplicates.py": (DuplicatesConfig, "duplicates"),
    "data_prep/check_overlap.py": (OverlapConfig, "overlap"),
    "data_prep/clean_labels.py": (LabelsConfig, "labels"),
    "data_prep/fit_template.py": (TemplateConfig, "template"),
}
SHARED_OPTIONS = {"--config", "--debug", "--help"}
# TensorBoard's, Ray's and that of the tests.
FOREIGN_OPTIONS = {"--logdir", "--head", "--address", "--port", "--record"}

EVALUATIONS = sorted((ROOT / "docs" / "results").glob("*/evaluation.json"))
BEFORE_REFLECTION = "7117bac8e747"
"""The commit of stored figures whose ECEs have percentiles, which lie above them."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def code_spans(page: Path) -> list[str]:
    return re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    )


def shell_lines(page: Path) -> list[list[str]]:
    joined = [block.replace("\\\n", "") for block in blocks(page, "bash")]
    lines = [line for block in joined for line in block.splitlines()]
    spans = [span for span in code_spans(page) if span.startswith(("python ", "make ", "pip "))]
    words = [shlex.split(line, comments=True) for line in [*lines, *spans]]
    return [[word for word in line if word != "-m"] for line in words]


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def command_lines() -> list:
    return [
        pytest.param(words[1], words[2:], id=f"{page.name}: {' '.join(words[1:])}")
        for page in PAGES
        for words in shell_lines(page)
        if words[:1] == ["python"] and words[1] in COMMANDS
    ]


def holds(figure: float, limits: list[float]) -> bool:
    return limits[0] - 1e-9 <= figure <= limits[1] + 1e-9


def with_intervals(found: object, where: str = "") -> Iterator[tuple[str, float, list[float]]]:
    """Where in an evaluation a figure stands beside its interval, the figure, and the interval."""
    if isinstance(found, list):
        for part in found:
            yield from with_intervals(part, where)
    if not isinstance(found, dict):
        return
    drawn = {f"{name}_interval": limits for name, limits in found.get("bootstrap", {}).items()}
    for key, limits in (found | drawn).items():
        names = [key.replace("_interval", end) for end in ("", "_mean")]
        names += [key.replace("interval", name) for name in ("mean", "value", "f", "difference")]
        figures = [found[name] for name in names if isinstance(found.get(name), float)]
        if "interval" in key and isinstance(limits, list) and figures:
            yield f"{where}/{key}", figures[0], limits
    for key, part in found.items():
        yield from with_intervals(part, f"{where}/{key}")


@pytest.fixture(scope="module")
def known_options() -> set[str]:
    """Those of all commands, once for all pages: help is slow to write."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setenv("COLUMNS", "300")
        for kind, part in COMMANDS.values():
            with pytest.raises(SystemExit):
                cli.load(kind, part, ["--help"])
    return SHARED_OPTIONS | set(re.findall(r"--[a-z][\w.-]*", said.getvalue()))


class TestTables:
    """The tables of the pages, against the results that the commands wrote."""

    @pytest.fixture
    def tables(self, monkeypatch):
        monkeypatch.syspath_prepend(ROOT / "docs")
        return importlib.import_module("tables")

    @pytest.fixture
    def results(self, tables, monkeypatch, tmp_path):
        """Where the tables look for their files: an empty directory."""
        for name in ("RESULTS", "BENCHMARKS"):
            monkeypatch.setattr(f"figures.{name}", tmp_path)
        return tmp_path

    @pytest.mark.parametrize(
        "name",
        [
            "README.md",
            *(f"docs/{name}.md" for name in ("results", "results_protocols", "models")),
            *(f"docs/protocols/{page.name}" for page in sorted(ROOT.glob("docs/protocols/*.md"))),
        ],
    )
    def test_are_those_of_the_results(self, tables, name):
        text = (ROOT / name).read_text()
        assert tables.BLOCK.search(text)
        assert tables.filled(text) == text, "run python docs/tables.py"

    @pytest.mark.parametrize("path", EVALUATIONS, ids=lambda path: path.parent.name)
    def test_intervals_hold_their_figures(self, path):
        evaluation = json.loads(path.read_text())
        found = list(with_intervals({**evaluation, "config": None}))
        if evaluation["git_revision"] == BEFORE_REFLECTION:
            found = [each for each in found if "ece_interval" not in each[0]]
        outside = [each for each in found if not holds(*each[1:])]
        assert found and not outside

    def test_without_results_say_so(self, tables, results):
        for name in tables.TABLES:
            text = f"<!-- table: {name} -->\nold\n<!-- end -->"
            expected = f"<!-- table: {name} -->\n*not measured yet*\n<!-- end -->"
            assert tables.filled(text) == expected

    def test_few_shot_figures_are_those_of_each_run(self, tables, results):
        rule = {"accuracy_mean": 0.5, "accuracy_std": 0.0125}
        shots = {"probes": 9, "nearest_mean": rule, "nearest_neighbour": rule, "svm": rule}
        figures = {"people": 10, "left_out": {"people": 3}, "shots": {"1": shots}}
        for run, written in (("pubfig83", {"few_shot": figures}), ("lfw_view1", {"svm": {}})):
            (results / run).mkdir()
            (results / run / "evaluation.json").write_text(json.dumps(written))
        lines = tables.written("few-shot").splitlines()
        assert len(lines) == 3
        expected = "| PubFig83 | trained from scratch | 10 (left out: 3) | 1 | 50.00 % ± 1.25 |"
        assert lines[2].startswith(expected)

    def test_of_the_demonstration_have_a_row_for_a_pretrained_network(self, tables, results):
        svm = {"accuracy": 0.5, "accuracy_interval": [0.25, 0.75], "macro_f1": 0.5}
        svm |= {"repeated": {"accuracy_mean": 0.5, "accuracy_std": 0.0125}}
        svm |= {"selected": {"accuracy": 0.5}, "lost_as_errors": {"accuracy": 0.5}}
        pairs = {"auc": 0.875, "eer": 0.25, "tar": {}}
        figures = {"svm": svm, "verification": {"unseen_people": pairs}}
        pretrained = figures | {"weights": {"source": "dlib"}}
        others = {"raw_pixels": figures, "lbp": figures, "dlib@data/att_dlib": pretrained}
        for run in ("att", "pubfig83"):
            (results / run).mkdir()
            text = json.dumps(figures | {"baselines": others})
            (results / run / "evaluation.json").write_text(text)

        def names(table):
            return [line.split(" | ")[0] for line in tables.written(table).splitlines()[2:]]

        assert names("att") == ["| trained", "| raw pixels", "| dlib, pretrained"]
        assert names("att-readme") == names("att")
        assert names("pubfig83") == names("att")[:2]

    @pytest.mark.parametrize("seeds", [1, 2])
    def test_of_fine_tuning_have_intervals_and_paired_differences(self, tables, results, seeds):
        names = ("pairs", "auc", "svm", "svm_repeated", "one_shot")
        deviation = 0.0125 if seeds > 1 else None
        figure = {"ours": 0.75, "deviation": deviation, "peers": {"as_pretrained": 0.5}}
        change = {"difference": 0.25, "interval": [0.125, 0.375], "p": 0.01}
        described = {"people": "LFW", "crops": "grey", "pictures": "20"} | {
            "intervals_before": {name: [0.25, 0.625] for name in names[:3]},
            "intervals": [{name: [0.5, 0.875] for name in names[:3]}] * seeds,
            "differences": [dict.fromkeys(("accuracy", "auc", "eer"), change)] * seeds,
        }
        metrics = {f"lfw_20_grey_{name}": figure for name in names}
        report = {"experiments": {"lfw_20_grey": described}, "metrics": metrics}
        (results / "fine_tuning.json").write_text(json.dumps(report))
        before, after = (
            line.split(" | ") for line in tables.written("fine-tuning").splitlines()[2:]
        )
        assert before[2:] == [
            "none",
            *["50.00 % [25.00, 62.50]"] * 3,
            *["50.00 %"] * 2,
            "-",
            "-",
            "- |",
        ]
        if seeds == 1:
            assert after[3:8] == [*["75.00 % [50.00, 87.50]"] * 3, *["75.00 %"] * 2]
            assert after[8] == after[9] == "+25.00 [+12.50, +37.50]"
        else:
            assert after[3:8] == ["75.00 % ± 1.25"] * 5
            assert after[8] == "+25.00 ± 0.00"

    @pytest.mark.parametrize(("recorded", "cells"), [(True, ("yes", "no")), (False, ("-", "-"))])
    def test_of_determinism_say_whose_bits_they_are(self, tables, results, recorded, cells):
        metric = {"ours": 150.4, "peers": {"all_off": 149.6}, "ends": {"ours": 1, "all_off": 2}}
        if recorded:
            metric["as_ours"] = {"ours": True, "all_off": False}
        report = {"metrics": {"net_80": metric}}
        (results / "determinism.json").write_text(json.dumps(report))
        assert tables.written("determinism").splitlines()[2:] == [
            f"| net 80 | ours | 150 | 1 | {cells[0]} |",
            f"| net 80 | all off | 150 | 2 | {cells[1]} |",
        ]

    def test_of_an_ablation_names_the_stage(self, tables, results):
        figures = {"val_auc": 0.6, "val_eer": 0.4, "val_tar": 0.1, "best_val_auc": 0.8}
        metrics = {f"no_norm_{name}": {"ours": x, "deviation": 0.01} for name, x in figures.items()}
        report = {"runs": {"no_norm": [{"stage": "triplet"}] * 2}, "metrics": metrics}
        (results / "ablation.json").write_text(json.dumps(report))
        cells = "0.6000 ± 0.0100 | 0.4000 ± 0.0100 | 0.1000 ± 0.0100 | 0.8000 ± 0.0100"
        assert tables.written("ablation").splitlines()[2] == f"| no norm | 2 | triplet | {cells} |"

    @pytest.mark.parametrize("rows", [2, 4], ids=["stopped early", "to the end"])
    @pytest.mark.parametrize(
        ("learned", "title"),
        [
            ({"objective": "batch_hard"}, "batch_hard"),
            ({"loss": "triplet", "mining": "batch_hard"}, "triplet/batch_hard"),
        ],
        ids=["objective", "loss"],
    )
    def test_time_is_that_of_the_steps_unless_recorded(self, tables, results, rows, learned, title):
        stage = {"identities_per_batch": 8, "images_per_identity": 3}
        config = {
            "steps_per_epoch": 100,
            "warm_up": {**stage, "objective": "cosface", "epochs": 1},
            "main": {**stage, **learned, "epochs": 3},
        }
        record = {"config": config}
        (results / "run").mkdir()
        (results / "run" / "config.json").write_text(json.dumps(record))
        lines = ["epoch,stage,images_per_second", "1,cosface,40", *[f"2,{title},40"] * (rows - 1)]
        (results / "run" / "history.csv").write_text("\n".join(lines))
        assert tables.models.duration("run") == f"{rows} min (training steps only)"
        record["finished"] = {"seconds": 600}
        (results / "run" / "config.json").write_text(json.dumps(record))
        assert tables.models.duration("run") == "10 min"

    @pytest.mark.parametrize(("later", "told"), [("", "a"), ("aa", "a"), ("abcb", "a + 2 more")])
    def test_commits_are_the_first_and_how_many_others(self, tables, later, told):
        sittings = [{"git_revision": each} for each in later]
        assert tables.models.commits({"git_revision": "a", "sittings": sittings}) == told


@each_page
def test_nothing_is_left_to_fill_in(page):
    assert re.findall(r"TODO\([^)]*\)", page.read_text()) == []


@each_page
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@each_page
def test_named_files_exist(page):
    rooms = "configs|facenet_tf|docs|tests|benchmarks|data_prep"
    for span in code_spans(page):
        match = re.match(rf"(?:python )?((?:{rooms})/[^ ]*|(?:train|evaluate)\.py)", span)
        if match and not re.search("NAME|MODEL", match[1]):
            assert (ROOT / match[1]).exists(), span


def test_the_guide_is_as_short_as_it_says():
    """A quarter of an hour, at 260 words a minute with tables and code among them."""
    text = (ROOT / "docs" / "guide.md").read_text()
    assert text.split("\n\n")[1].startswith("A quarter of an hour ")
    assert len(text.split()) <= 15 * 260


def test_every_recipe_is_in_the_guide():
    text = (ROOT / "docs" / "guide.md").read_text()
    for recipe in (ROOT / "configs").glob("*.py"):
        assert f"`configs/{recipe.name}`" in text


@pytest.mark.parametrize(("command", "arguments"), command_lines())
def test_commands_parse(command, arguments, monkeypatch):
    monkeypatch.chdir(ROOT)
    kind, part = COMMANDS[command]
    config = cli.load(kind, part, arguments)
    given = dict(itertools.pairwise(arguments))
    if "--output" in given:
        assert config.output == Path(given["--output"])


@each_page
def test_named_options_exist(page, known_options):
    known = known_options | FOREIGN_OPTIONS
    said = page.read_text()
    benchmarks = "".join(path.read_text() for path in (ROOT / "benchmarks").glob("*.py"))
    for option in set(re.findall(r"(?<![\w-])--[a-z][\w.-]*\w", said)):
        assert option in known or f'"{option}"' in benchmarks, option


@each_page
def test_make_targets_exist(page):
    makefile = (ROOT / "Makefile").read_text()
    for words in shell_lines(page):
        if words[:1] == ["make"]:
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), words


def test_python_runs(tmp_path):
    """Each page by itself, all in one process, which imports TensorFlow once."""
    scripts = {f"{page.stem}.py": "\n".join(blocks(page, "python")) for page in PAGES}
    written = [name for name, script in scripts.items() if script]
    for name in written:
        (tmp_path / name).write_text(scripts[name])
    each = "import runpy, sys; [runpy.run_path(name, {}, '__main__') for name in sys.argv[1:]]"
    command = [sys.executable, "-c", each, *written]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert len(written) >= 6
    assert done.returncode == 0, done.stderr


class TestArchitecture:
    """What the page says about files on disk, against the code that writes them."""

    text = (ROOT / "docs" / "architecture.md").read_text()

    def column(self, head: str) -> list[str]:
        """Names in the first column of the table below a head."""
        table = self.text.split(head, 1)[1].split("\n\n|", 1)[1].split("\n\n", 1)[0]
        cells = [line.lstrip("| ").split("|")[0] for line in table.splitlines()[2:]]
        return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]

    def test_features(self):
        assert self.column("**Record.**") == list(schema.FEATURES)

    def test_index(self):
        names = self.column("**`index.npy`.**")
        assert [getattr(layout, name) for name in names] == list(range(6))

    def test_rows(self, tmp_path):
        rows.write_rows(tmp_path / "images.csv", [])
        with (tmp_path / "images.csv").open(newline="") as file:
            assert self.column("**`images.csv`.**") == next(csv.reader(file))

    def test_manifest(self):
        about = {"detector": {}, "recovery": {}, "versions": {}}
        made = make_manifest(BuildConfig(), Source("", [], 0, 0, []), "", about, [], [])
        assert sorted(self.column("**`dataset.json`.**")) == sorted([*made, "files", "checksum"])

    def test_layers(self):
        setup = (ROOT / "setup.cfg").read_text()
        floors = re.findall(r"layers =\n((?:    .*\n)+)", setup)[0].replace("facenet_tf.", "")
        assert floors.strip() in self.text

    def test_every_room_is_there(self):
        for path in (ROOT / "facenet_tf").iterdir():
            if path.is_dir() and not path.name.startswith("__"):
                assert f"`facenet_tf/{path.name}/`" in self.text


class TestLosses:
    """What the page says of names and options, against the registry."""

    text = LOSSES.read_text()

    def test_defaults(self):
        table = self.text.split("| loss | options and their defaults |", 1)[1].split("\n\n", 1)[0]
        for loss, line in zip(losses(), table.splitlines()[2:], strict=True):
            options = [f"`{name}={json.dumps(value)}`" for name, value in loss.options.items()]
            assert line == f"| `{loss.title}` | {', '.join(options) or 'none'} |"

    def test_every_loss_is_introduced(self):
        table = self.text.split("## All of them", 1)[1].split("\n## ", 1)[0]
        for loss in losses():
            assert f"`{loss.name}`" in table
            assert not loss.mining or f"`{loss.mining}`" in table

    @pytest.mark.parametrize(
        "arguments",
        [words[2:] for words in shell_lines(LOSSES) if words[1] == "train.py"],
        ids=" ".join,
    )
    def test_examples_name_losses_that_fit(self, arguments):
        config = configured(arguments).with_loss()
        for prefix, stage in config.stages.items():
            check_head(stage, prefix)


class TestModels:
    """The tables of the page on models, against the networks."""

    text = (ROOT / "docs" / "models.md").read_text()

    def section(self, name: str) -> list[str]:
        """Lines below the head that begins so, those of its table."""
        text = self.text[self.text.index(f"\n## {name}") + 1 :].split("\n## ", 1)[0]
        return [line for line in text.splitlines() if line.startswith("|")]

    def row(self, name: str, section: str = "All of them") -> list[str]:
        """Cells of the row of a section whose first one begins so."""
        line = next(line for line in self.section(section) if line.startswith(f"| {name}"))
        return [cell.strip() for cell in line.strip("|").split("|")]

    @pytest.mark.parametrize("name", models.names())
    def test_every_architecture_has_a_row(self, name):
        publication = models.published(name)
        row = self.row(f"`{name}`")
        assert row[1] == str(publication.year)
        assert row[3] == str(publication.embedding_size)
        assert row[4] == f"{'' if publication.verified else '~'}{publication.parameters:,}"

    def test_options_and_their_defaults(self):
        rows = [line.strip("| ").split(" | ") for line in self.section("Options")[2:]]
        names = [name for titles, _ in rows for name in titles.strip("`").split("`, `")]
        assert sorted(names) == sorted([*models.names(), "keras:NAME"])
        for titles, said in rows:
            for name in titles.strip("`").split("`, `"):
                options = models.options_of(name.replace("NAME", "MobileNet"))
                ours = [f"`{option}={json.dumps(options[option])}`" for option in sorted(options)]
                assert said == ", ".join(ours), name

    def test_weights_of_deepface(self):
        local = sum(count for name, count in test_deepface.WEIGHTS.items() if name.startswith("l"))
        assert f"{local / 1e6:.0f} of 102 million parameters" in self.text
        rows = ["C1", "C3", "L4", "L5", "L6", "F7"]
        for row, count in zip(rows, test_deepface.WEIGHTS.values(), strict=True):
            assert self.row(row, "deepface")[-1] == f"{count:,}"

    @pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
    def test_blocks_of_nn2(self, block):
        filters = [block.conv_1x1, block.reduce_3x3, block.conv_3x3]
        filters += [block.reduce_5x5, block.conv_5x5]
        row = self.row(block.name, "nn2")
        assert row[2:7] == [str(count or "") for count in filters]
        projection = f", {block.projection}" if block.projection else ""
        assert row[7] == {"l2": "L2", "max": "max"}[block.pooling] + projection
        assert row[8] == f"{WEIGHTS[f'inception_{block.name}']:,}"

    def test_other_weights_of_nn2(self):
        assert self.row("conv1", "nn2")[-1] == f"{WEIGHTS['stem_conv1']:,}"
        assert self.row("conv2", "nn2")[-1] == f"{WEIGHTS['stem_conv2']:,}"
        assert self.row("bottleneck | 128", "nn2")[-1] == f"{WEIGHTS['bottleneck']:,}"

    def test_parts_of_inception_resnet_v1(self):
        for part, count in test_inception_resnet.BLOCKS.items():
            assert self.row(part, "inception_resnet_v1")[-1] == f"{count:,}", part

    def test_weights_of_mobile_facenet(self):
        for stage, (first, later, blocks) in test_mobile_facenet.BLOCKS.items():
            count = sum(first) + (blocks - 1) * sum(later or ())
            assert self.row(f"{stage[:-1]} {stage[-1]}", "mobile_facenet")[-1] == f"{count:,}"
        rows = ["3×3 convolution", "depthwise 3×3", "1×1 convolution", "global depthwise"]
        rows.append("bottleneck, without bias")
        for row, count in zip(rows, test_mobile_facenet.OTHERS.values(), strict=True):
            assert self.row(row, "mobile_facenet")[-1] == f"{count:,}"

    def test_weights_of_mbf(self):
        operators = list(test_mbf.BLOCKS.values())
        counts = [line.strip("| ").split(" | ")[-1] for line in self.section("mbf") if "×" in line]
        assert counts == [f"{count:,}" for count in operators[:-1]]
        assert self.row("bottleneck", "mbf")[-1] == f"{operators[-1]:,}"

    @pytest.mark.parametrize(
        ("size", "head"), [(112, "depthwise"), (80, "depthwise"), (112, "flatten")]
    )
    def test_parameters_of_residual_small(self, size, head):
        model = models.build("residual_small", preprocessing=Preprocessing(size=size), head=head)
        count = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
        assert f"{count:,}" in self.text
