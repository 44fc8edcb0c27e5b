"""What holds for every protocol, whatever it measures."""

import dataclasses
import html
import inspect
import json
import re

import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation import registry
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options import Options
from facenet_tf.evaluation.report.console import console_table
from facenet_tf.evaluation.report.report import write_report

from ..conftest import evaluate_without_plots

OUTPUT = {"evaluation.json", "embeddings.npz", "report.html"}


@dataclasses.dataclass(frozen=True)
class MadeUpOptions(Options):
    count: int = 1

    def check(self):
        if self.count < 1:
            raise InputError("--made-up.count")


@pytest.fixture
def figures(evaluated) -> dict:
    return json.loads((evaluated[0] / "evaluation.json").read_text())


@pytest.mark.parametrize("protocol", registry.PROTOCOLS, ids=lambda each: each.name)
class TestEveryProtocol:
    def test_explains_itself_in_a_sentence(self, protocol):
        assert protocol.title and protocol.title[0].isupper()
        assert re.fullmatch(r"[A-Z].+[.?]", protocol.meaning, re.DOTALL)

    def test_has_its_options_where_the_config_looks(self, protocol):
        field = getattr(EvaluateConfig(), protocol.name, None)
        if protocol.options is None:
            assert not isinstance(field, Options)
            return
        assert type(field) is protocol.options
        lines = inspect.getsource(protocol.options).splitlines()
        for option in dataclasses.fields(protocol.options):
            line = next(i for i, text in enumerate(lines) if text.startswith(f"    {option.name}:"))
            assert '"""' in lines[line + 1], option.name

    def test_tables_have_a_cell_for_each_column(self, protocol, figures):
        if protocol not in registry.with_figures(figures):
            pytest.skip("the small world gives no figures")
        for table in protocol.tables(figures):
            assert {len(row) for row in table.rows} <= {len(table.head)}
            assert all(isinstance(cell, str) for row in table.rows for cell in row)

    def test_says_in_report_and_console_why_there_are_no_figures(self, protocol, figures, tmp_path):
        figures[protocol.name] = {"skipped": "for want of pictures"}
        write_report(figures, tmp_path / "report.html")
        said = f"{protocol.title}: no figures: for want of pictures"
        assert said in html.unescape((tmp_path / "report.html").read_text())
        assert said in console_table(figures)


def test_names_and_files_are_unique():
    names = [protocol.name for protocol in registry.PROTOCOLS]
    assert len(set(names)) == len(names)
    assert len(set(registry.files())) == len(registry.files())
    assert OUTPUT.isdisjoint(registry.files())


def test_whatever_is_left_behind_is_declared(evaluated):
    assert {path.name for path in evaluated[0].iterdir()} <= OUTPUT | set(registry.files())


def test_options_are_checked(tmp_path):
    (tmp_path / "model.keras").touch()
    config = EvaluateConfig(tmp_path)
    object.__setattr__(config, "projection", MadeUpOptions(0))
    with pytest.raises(InputError, match="made-up"):
        config.check()


def test_baselines_get_the_cheap_ones(evaluated):
    _, figures = evaluated
    names = {protocol.name for protocol in registry.PROTOCOLS if protocol.for_baselines}
    for result in figures["baselines"].values():
        assert set(result) - {"protocol"} <= names
        assert "skipped" in result["verification"]["unseen_people"]["bootstrap"]
    assert "auc" in figures["verification"]["unseen_people"]["bootstrap"]


def test_figures_nobody_asked_for_are_not_there(run, dataset, tmp_path):
    options = {"repeats": 2, "bootstrap": 0, "few_shot": (), "baselines": False}
    config = EvaluateConfig(run, dataset.directory, output=tmp_path, **options)
    assert "few_shot" not in evaluate_without_plots(config)
