"""Runs compared: the curves are those of the CSV, of older histories too; mistakes are one line."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facenet_tf import cli
from facenet_tf.errors import InputError
from facenet_tf.training.plot import (
    FIGURES,
    PlotConfig,
    chosen_figures,
    draw,
    main,
    plot,
    read_curves,
)

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
COLUMNS = ["epoch", "stage", "loss", "gradient_norm", "val_auc", "val_d_prime"]
STAGES = ["cosface"] * 3 + ["triplet/batch_hard"] * 2


def write_run(run, columns=COLUMNS, stages=STAGES, seed=0, first=1):
    """A history with made-up numbers; returns them by name."""
    random = np.random.default_rng(seed)
    numbers = {name: random.random(len(stages)).round(6) for name in columns}
    numbers["epoch"] = np.arange(first, first + len(stages))
    run.mkdir(parents=True)
    with (run / "history.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row, stage in enumerate(stages):
            writer.writerow([stage if name == "stage" else numbers[name][row] for name in columns])
    return numbers


def curves(*runs):
    return [read_curves(run, run.name) for run in runs]


def plotted(figure, title):
    """The curves of a panel by colour, and where its dotted lines are, by colour."""
    axes = next(axes for axes in figure.axes if axes.get_title() == title)
    lines = {line.get_color(): line for line in axes.lines if line.get_linestyle() != ":"}
    dotted = [
        (line.get_color(), line.get_xdata()[0])
        for line in axes.lines
        if line.get_linestyle() == ":"
    ]
    return lines, dotted


def test_the_curves_are_those_of_the_files(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    written = [write_run(one, seed=1), write_run(two, seed=2, stages=["cosface"] * 7)]
    names = ["loss", "val_auc", "val_d_prime"]
    figure = draw(curves(one, two), names)
    assert [axes.get_title() for axes in figure.axes] == names
    for name in names:
        lines, dotted = plotted(figure, name)
        assert list(lines) == ["C0", "C1"]
        for line, numbers in zip(lines.values(), written, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), numbers["epoch"])
            np.testing.assert_array_equal(line.get_ydata(), numbers[name])
        assert dotted == [("C0", 3.5)]
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]
    assert [line.get_color() for line in legend.get_lines()] == ["C0", "C1"]


def test_an_older_history_has_fewer_curves(tmp_path, caplog):
    old, new = tmp_path / "old", tmp_path / "new"
    write_run(old, columns=["epoch", "loss"])  # from before the stages were written down
    write_run(new)
    config = PlotConfig((old, new), tmp_path / "out.png")
    runs, figures = plot(config)
    assert figures == ["loss", "val_auc", "val_d_prime", "gradient_norm"]
    assert "old has no val_auc" in caplog.text
    assert "new has no" not in caplog.text
    figure = draw(runs, figures)
    lines, dotted = plotted(figure, "loss")
    assert list(lines) == ["C0", "C1"]
    assert dotted == [("C1", 3.5)]
    assert list(plotted(figure, "val_auc")[0]) == ["C1"]


def test_empty_cells_are_gaps(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    text = "epoch,stage,loss,val_auc\n1,a,2,\n2,a,,0.5\n3,a,1,inf\n4,a\n"
    (run / "history.csv").write_text(text)
    [found] = curves(run)
    np.testing.assert_array_equal(found.figures["loss"], [2, np.nan, 1, np.nan])
    np.testing.assert_array_equal(found.figures["val_auc"], [np.nan, 0.5, np.inf, np.nan])
    draw([found], ["loss", "val_auc"]).canvas.draw()


def test_the_picture_is_written_whatever_the_number_of_panels(tmp_path):
    write_run(tmp_path / "run")
    for count in (1, 4):
        output = tmp_path / "new" / f"{count}.png"
        plot(PlotConfig((tmp_path / "run",), output, tuple(COLUMNS[2 : 2 + count])))
        assert output.read_bytes().startswith(b"\x89PNG")


def test_usual_figures_are_left_out_where_no_run_has_them(tmp_path):
    write_run(tmp_path / "run")
    write_run(tmp_path / "odd", columns=["epoch", "stage", "b", "a"])
    write_run(tmp_path / "bare", columns=["epoch", "stage"])
    assert chosen_figures(curves(tmp_path / "run"), ()) == [n for n in FIGURES if n in COLUMNS]
    assert chosen_figures(curves(tmp_path / "odd"), ()) == ["a", "b"]
    assert chosen_figures(curves(tmp_path / "odd"), ("b", "b")) == ["b"]
    with pytest.raises(InputError, match="nothing to plot"):
        chosen_figures(curves(tmp_path / "bare"), ())


def test_runs_of_one_name_are_told_apart_and_repeated_ones_drawn_once(tmp_path):
    paths = tuple(tmp_path / parent / "run" for parent in ("a", "b"))
    for path in paths:
        write_run(path)
    runs, _ = plot(PlotConfig((*paths, paths[0]), tmp_path / "out.png"))
    assert [run.name for run in runs] == [str(path) for path in paths]


def test_runs_of_different_epochs_are_drawn_over_steps_pictures_or_hours(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    # The first epoch is of before the columns were there.
    text = "epoch,stage,loss,step,pictures,seconds\n1,a,3\n2,a,2,40,640,90\n3,b,1,60,960,180\n"
    (run / "history.csv").write_text(text)
    expected = {"epoch": [1, 2, 3], "step": [np.nan, 40, 60], "pictures": [np.nan, 640, 960]}
    for against, places in {**expected, "hours": [np.nan, 0.025, 0.05]}.items():
        found = read_curves(run, "run", against)
        assert list(found.figures) == ["loss"]
        figure = draw([found], ["loss"], against)
        figure.canvas.draw()
        lines, dotted = plotted(figure, "loss")
        np.testing.assert_allclose(lines["C0"].get_xdata(), places)
        assert dotted == [("C0", pytest.approx(np.mean(places[1:])))]
        assert any(text.get_text().startswith(against) for text in figure.texts)


def test_what_is_no_run_is_left_out_while_there_is_one(tmp_path, caplog):
    write_run(tmp_path / "runs" / "old")
    write_run(tmp_path / "runs" / "new", columns=[*COLUMNS, "step"])
    (tmp_path / "runs" / "evaluation").mkdir()
    (tmp_path / "runs" / "first_epoch").mkdir()
    (tmp_path / "runs" / "first_epoch" / "history.csv").write_text("epoch,loss\n")
    paths = tuple(sorted((tmp_path / "runs").iterdir()))
    runs, _ = plot(PlotConfig(paths, tmp_path / "out.png"))
    assert [run.name for run in runs] == ["new", "old"]
    assert [message.split("/")[-2] for message in caplog.messages] == ["evaluation", "first_epoch"]
    caplog.clear()
    runs, _ = plot(PlotConfig(paths, tmp_path / "out.png", against="step"))
    assert [run.name for run in runs] == ["new"]
    assert "of an older run: it has no column step" in caplog.text
    with pytest.raises(InputError, match=r"none of these 2 .* the first: .*evaluation.*No such"):
        plot(PlotConfig(paths[:2], tmp_path / "out.png"))


@pytest.mark.parametrize("history", sorted(RESULTS.glob("*/history.csv")))
def test_published_histories_are_still_drawn(history):
    found = read_curves(history.parent, "run")
    assert len(found.places) and found.figures


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file.*name run directories"),
        ("", "no epoch is finished"),
        ("epoch,stage,loss\n", "no epoch is finished"),
        ("a,b\n1,2\n", "no column epoch"),
        ("epoch,loss\n1,0.5\n2,low\n", "loss is 'low' in epoch 2"),
        ("epoch,loss\n1,0.5\0\n", "no history of a run"),
        (b"epoch,loss\n1,\xff\n", "no history of a run"),
    ],
)
def test_what_is_no_history_is_refused_by_name(tmp_path, content, message):
    run = tmp_path / "run"
    run.mkdir()
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (run / "history.csv").write_bytes(data)
    with pytest.raises(InputError, match=message) as refused:
        read_curves(run, "run")
    assert str(run / "history.csv") in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no run to plot"),
        (["RUN", "--figures", "lost"], "--figures lost: no run has it; there are gradient_norm"),
        (["RUN", "--output", "RUN/history.csv"], "ends in .png"),
        (["RUN", "--output", "RUN/history.csv/x.png"], "--output"),
        (["RUN", "--colour"], "--colour"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(tmp_path, capsys, arguments, message):
    run = tmp_path / "run"
    write_run(run)
    before = (run / "history.csv").read_bytes()
    with pytest.raises(SystemExit) as stop:
        cli.run(main, [argument.replace("RUN", str(run)) for argument in arguments])
    assert stop.value.code == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert (run / "history.csv").read_bytes() == before


def test_the_command_says_what_it_wrote_without_tensorflow(tmp_path):
    run, output = tmp_path / "runs" / "one", tmp_path / "out.png"
    write_run(run)
    command = [sys.executable, "-X", "importtime", "-m", "facenet_tf.training.plot", str(run)]
    options = ["--figures", "loss", "val_auc", "--output", str(output)]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert done.returncode == cli.OK, done.stderr
    said = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()]
    assert said == ["one (5 epochs)", "loss, val_auc", str(output)]
    assert output.is_file()
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "matplotlib.figure" in imported and "tensorflow" not in imported
