"""The report and the table, from figures read back from JSON."""

import json

import pytest

from facenet_tf.evaluation.report.console import console_table
from facenet_tf.evaluation.report.report import write_report


@pytest.fixture
def figures(evaluated) -> dict:
    return json.loads((evaluated[0] / "evaluation.json").read_text())


def test_names_from_outside_cannot_become_markup(figures, tmp_path):
    figures["dataset"]["name"] = "<script>alert(1)</script>"
    figures["pictures"]["lost"][0]["key"] = '"><img src=x>'
    write_report(figures, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<script>" not in text
    assert "<img src=x>" not in text
    assert "&lt;script&gt;" in text


def test_report_tells_why_there_is_no_svm(figures, tmp_path):
    for result in (figures, *figures["baselines"].values()):
        result["svm"] = {"skipped": "too few", "accuracy": None, "macro_f1": None}
    write_report(figures, tmp_path / "report.html")
    assert "SVM: no figures: too few" in (tmp_path / "report.html").read_text()
    assert "SVM: no figures: too few" in console_table(figures)


def test_report_without_pairs(figures, tmp_path):
    for result in (figures, *figures["baselines"].values()):
        result["verification"] = {}
    write_report(figures, tmp_path / "report.html")
    assert "no genuine and impostor pairs" in (tmp_path / "report.html").read_text()


def test_few_shot_figures_and_who_is_left_out_are_shown(figures, tmp_path):
    write_report(figures, tmp_path / "report.html")
    two = figures["few_shot"]["shots"]["2"]["nearest_mean"]
    figures["few_shot"]["left_out"]["people"] = 3
    text = console_table(figures)
    for shown in (text, (tmp_path / "report.html").read_text()):
        assert f"{two['accuracy_mean']:.4f} ± {two['accuracy_std']:.4f}" in shown
        assert "4 people, 20 draws" in shown
    assert "left out: 3 people with fewer than 6 pictures" in text
    assert "beyond" not in text


def test_why_there_are_no_few_shot_figures(figures, tmp_path):
    del figures["few_shot"]["shots"]
    figures["few_shot"]["skipped"] = "1 people with 6 pictures or more: two are needed"
    figures["baselines"] = {}
    write_report(figures, tmp_path / "report.html")
    assert "identification: no figures: 1 people" in console_table(figures)
    assert "identification: no figures: 1 people" in (tmp_path / "report.html").read_text()


def test_table_sets_the_network_beside_its_baselines(figures):
    text = console_table(figures)
    for name in ("trained", "untrained", "raw pixels"):
        row = next(line for line in text.splitlines() if line.startswith(name))
        result = {"trained": figures, **figures["baselines"]}[name.replace(" ", "_")]
        assert f"{result['svm']['accuracy']:.4f}" in row
    assert f"{figures['verification']['unseen_people']['eer']:.4f}" in text
    assert "TAR@0.1" in text
    assert "TAR@0.001" not in text  # too few impostor pairs for it
    apart = next(line for line in text.splitlines() if "lost apart  trained" in line)
    without_lost = figures["verification"]["unseen_people"]["without_lost"]
    assert f"{without_lost['auc']:.4f}" in apart
    assert "test pictures without a record: 1" in text
