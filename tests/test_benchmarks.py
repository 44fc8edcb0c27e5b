"""What benchmarks make of what they measured."""

import argparse
import dataclasses
import importlib
import json
import sys
from pathlib import Path

import pytest

from facenet_tf.evaluation.config import EvaluateConfig

ROOT = Path(__file__).parents[1]
SERVES = """
import os, sys
print('{"mib": %s}' % os.environ["MIB"], flush=True)
for number, line in enumerate(sys.stdin):
    print('{"seconds": %s}' % (PAUSE + number), flush=True)
"""


@pytest.fixture
def benchmark(monkeypatch):
    """A benchmark by name, as its command has it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


def test_ends_are_counted_and_compared_with_those_of_ours(benchmark):
    ends = {"ours": ["a", "a"], "same": ["a", "a"], "other": ["b", "b"], "several": ["a", "b"]}
    compared = benchmark("determinism").compared(ends)
    assert compared["ends"] == {"ours": 1, "same": 1, "other": 1, "several": 2}
    assert compared["alike"] == {"ours": True, "same": True, "other": True, "several": False}
    assert compared["as_ours"] == {"ours": True, "same": True, "other": False, "several": False}
    assert compared["digests"]["several"] == ["a", "b"]


def test_ours_that_has_no_one_end_is_equal_to_none(benchmark):
    compared = benchmark("determinism").compared({"ours": ["a", "b"], "one": ["a", "a"]})
    assert compared["as_ours"] == {"ours": False, "one": False}


def test_chunks_take_turns_and_memory_is_of_the_first_step(benchmark, capsys):
    """Processes that stand in for train steps say 10, 11, 12 … and 20, 21, 22 … seconds."""
    accumulation, turns = benchmark("accumulation"), benchmark("turns")
    limits = benchmark("limited_process").Limits(1e10, 60.0)
    commands = {
        name: [sys.executable, "-c", SERVES.replace("PAUSE", str(pause))]
        for name, pause in (("chunk_5", 10), ("whole", 20))
    }
    found = turns.take_turns(commands, 3, limits, 2.0, MIB="7")
    options = argparse.Namespace(model="net", size=8, note=None, output=None)
    accumulation.publish(found, 600, options)
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])["metrics"]
    assert metrics["net_8_600_memory"]["ours"] == 7
    speed = metrics["net_8_600_speed"]
    assert (speed["ours"], speed["peers"]["whole"]) == (600 / 12, 600 / 22)
    assert speed["range"]["ours"] == [600 / 13, 600 / 11]


def test_an_ablation_tells_of_the_last_stage_alone(benchmark, tmp_path):
    """Two variants that differ in their last stage have the better epoch in their first."""
    lines = ["epoch,stage,val_auc,val_eer,val_tar", "1,cosface,0.9,0.1,0.5"]
    lines += ["2,triplet,0.7,0.3,0.2", "3,triplet,0.8,0.2,0.3", "4,triplet,0.6,0.4,0.1"]
    (tmp_path / "history.csv").write_text("\n".join(lines))
    (tmp_path / "config.json").write_text('{"git_revision": "abc"}')
    assert benchmark("ablation").outcome(tmp_path) == {
        "commit": "abc",
        "stage": "triplet",
        "best_epoch": 3,
        **{"val_auc": 0.6, "val_eer": 0.4, "val_tar": 0.1},
        **{"best_val_auc": 0.8, "best_val_eer": 0.2, "best_val_tar": 0.3},
    }


HISTORY = "epoch,stage,val_auc,val_eer,val_tar\n1,triplet,0.{0}1,0.{0}2,0.{0}3\n"


@pytest.fixture
def ablation(benchmark, monkeypatch, tmp_path):
    """The ablation on trainings whose figures are told by their seed: what it reports and trains.

    It reports into report.json.
    """
    module = benchmark("ablation")

    def measured(commit, *words):
        trained = []

        def train(config):
            trained.append(config.output.name)
            config.output.mkdir(parents=True)
            (config.output / "history.csv").write_text(HISTORY.format(config.seed))
            (config.output / "config.json").write_text(json.dumps({"git_revision": commit}))

        monkeypatch.setattr(module, "train_once", train)
        fixed = ["data", "--runs", tmp_path / commit, "--output", tmp_path / "report.json"]
        monkeypatch.setattr("sys.argv", ["ablation.py", *map(str, [*fixed, *words])])
        module.main()
        return json.loads((tmp_path / "report.json").read_text()), trained

    return measured


def test_an_ablation_trains_only_the_seeds_that_an_earlier_one_lacks(ablation, tmp_path):
    earlier, trained = ablation("old", "--seeds", 2, 0)
    assert (earlier["seeds"], len(trained)) == ([0, 2], 14)
    both, trained = ablation("new", "--seeds", 1, 0, 1, "--earlier", tmp_path / "report.json")
    assert trained == [f"{name}_1" for name in earlier["runs"]]
    assert both["seeds"] == [0, 1, 2]
    for name, runs in both["runs"].items():
        assert [runs[0], runs[2]] == earlier["runs"][name]
        assert [run["seed"] for run in runs] == [0, 1, 2]
        assert [run["commit"] for run in runs] == ["old", "new", "old"]
        assert both["metrics"][f"{name}_val_auc"]["ours"] == pytest.approx((0.01 + 0.11 + 0.21) / 3)
    at_once, _ = ablation("whole")
    assert at_once["metrics"] == both["metrics"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"protocol": "the best epoch"}, "protocol the best epoch"),
        ({"recipe": {"steps_per_epoch": 2}}, "recipe {'steps_per_epoch': 2}"),
        ({"runs": {"recipe": [{"seed": 0}]}}, r"variants \['recipe'\]"),
        ({"seeds": [0, 1]}, r"recipe was not trained with its seeds \[0, 1\]"),
    ],
)
def test_an_ablation_refuses_an_earlier_one_of_another_kind(ablation, tmp_path, changes, named):
    report, _ = ablation("old", "--seeds", 0)
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps({**report, **changes}))
    with pytest.raises(SystemExit, match=f"earlier.json: {named}"):
        ablation("new", "--earlier", earlier)
    assert not (tmp_path / "new").exists()


def test_the_ablation_that_is_kept_can_be_added_to(benchmark):
    module = benchmark("ablation")
    base = module.recipe(Path("data"), quick=False)
    kind = {"protocol": module.PROTOCOL, "recipe": module.lengths(base)}
    kept = ROOT / "benchmarks" / "results" / "ablation.json"
    assert [run["seed"] for run in module.earlier_outcomes(kept, kind)["16x8"]][:2] == [0, 1]


def test_xla_is_chosen_where_all_its_turns_were_faster(benchmark, monkeypatch, tmp_path):
    ranges = {
        "net_b_batch32": {"graph": [10, 12], "xla": [13, 20]},
        "net_b_batch1": {"graph": [10, 12], "xla": [12, 20]},
        "net_a_batch32": {"graph": [10, 12]},
        "net_a_batch1": {"xla": [1, 2]},
    }
    metrics = {name: {"range": {"ours": [0, 99], **each}} for name, each in ranges.items()}
    report = {"commit": "abc", "machine": {"cores": 2}, "metrics": metrics}
    (tmp_path / "report.json").write_text(json.dumps(report))
    module = benchmark("embedding_forms")
    monkeypatch.setattr(module, "TABLE", tmp_path / "forms.json")
    monkeypatch.setattr("sys.argv", ["embedding_forms.py", str(tmp_path / "report.json")])
    module.main()
    table = json.loads((tmp_path / "forms.json").read_text())
    assert table.pop("batches") == [1, 32]
    assert table.pop("xla") == {"net_a": [1], "net_b": [32]}
    assert table == {"commit": "abc", "machine": {"cores": 2}}


def test_an_evaluation_with_other_options_is_made_anew(benchmark, monkeypatch, tmp_path):
    trainings, made = benchmark("trainings"), []

    def evaluate(_, config):
        made.append(config.bootstrap)
        file = config.output_directory / "evaluation.json"
        file.write_text(json.dumps({"config": config.resolved().recorded()}))

    monkeypatch.setattr(trainings, "_in_own_process", evaluate)
    config = EvaluateConfig(output=tmp_path)
    for draws in (5, 5, 6):
        found = trainings.evaluate_once(dataclasses.replace(config, bootstrap=draws))
        assert found["config"]["bootstrap"] == draws
    assert made == [5, 6]
    monkeypatch.setattr(trainings, "_in_own_process", lambda *_: None)
    with pytest.raises(SystemExit, match="failed"):
        trainings.evaluate_once(dataclasses.replace(config, bootstrap=7))


def test_fine_tuning_is_compared_with_the_pretrained_network(benchmark, monkeypatch, tmp_path):
    """Evaluations stand in: what is measured before the tuning is right half the time."""
    module, compared = benchmark("fine_tuning"), []

    def evaluation(config):
        tuned = config.weights is None
        if tuned:
            compared.append((config.run.name, *config.compare))
        share = 0.75 if tuned else 0.5
        change = {"difference": 0.25, "interval": [0.125, 0.375], "p": 0.01, "a": "trained"}
        figures = {name: [change] for name in ("accuracy", "auc", "eer")}
        pairs = {"accuracy_mean": share, "accuracy_interval": [share, 1.0], "auc": share}
        svm = {"accuracy": share, "accuracy_interval": [0.0, share]}
        return {
            "verification": {"unseen_people": pairs | {"bootstrap": {"auc": [0.0, 1.0]}}},
            "svm": svm | {"repeated": {"accuracy_mean": share}},
            "few_shot": {"shots": {"1": {"nearest_mean": {"accuracy_mean": share}}}},
            "comparison": {"sets": {"unseen_people": {"figures": figures}}} if tuned else None,
            "run": {"git_revision": "abc"} if tuned else None,
        }

    monkeypatch.setattr(module, "train_once", lambda config: config.run_directory)
    monkeypatch.setattr(module, "evaluate_once", evaluation)
    words = ["--pubfig83", "data", "--runs", tmp_path, "--output", tmp_path / "report.json"]
    monkeypatch.setattr("sys.argv", ["fine_tuning.py", *map(str, words)])
    module.main()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["metrics"]["pubfig83_5_clean_pairs"]["ratio"] == {"as_pretrained": 1.5}
    described = report["experiments"]["pubfig83_all_grey"]
    assert described["intervals_before"]["pairs"] == [0.5, 1.0]
    assert described["intervals"] == [{"pairs": [0.75, 1.0], "auc": [0.0, 1.0], "svm": [0.0, 0.75]}]
    assert described["differences"][0]["auc"]["interval"] == [0.125, 0.375]
    grey = str(tmp_path / "pubfig83_pretrained_grey" / "embeddings.npz")
    assert ("pubfig83_all_grey_0", grey) in compared and len(compared) == 5
