"""The table of the architectures, and its command."""

import json
import re

import keras
import pytest

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.models import table
from facenet_tf.models.__main__ import main

ROW = table.Row(
    name="net",
    year=2015,
    paper="A paper",
    height=112,
    width=96,
    embedding_size=128,
    parameters=1_234_567,
    verified=False,
    multiply_adds=89_600_000,
    size_on_disk=5_060_000,
    images_per_second=None,
    lfw=None,
)


def cells(line):
    return [cell.strip() for cell in line.strip("|\n").split("|")]


def test_a_row():
    lines = table.markdown([ROW]).splitlines()
    expected = ["`net`", "2015", "112×96", "128", "~1,234,567", "90 M", "5.1 MB", "-"]
    assert cells(lines[2]) == expected
    assert len(cells(lines[0])) == len(cells(lines[1])) == len(expected)
    assert len({len(line) for line in lines}) == 1


def test_a_row_with_everything():
    more = {"width": 112, "verified": True, "images_per_second": 7.66, "lfw": 99.5}
    row = table.Row(**{**vars(ROW), **more})
    assert cells(table.markdown([row]).splitlines()[2])[2:] == [
        "112",
        "128",
        "1,234,567",
        "90 M",
        "5.1 MB",
        "7.7",
        "99.50 %",
    ]


def test_speed_is_the_median_of_three_batches_at_least(monkeypatch):
    clock = iter([0, 1, 10, 14, 20, 22])  # three batches of 1, 4 and 2 seconds
    monkeypatch.setattr(table.time, "perf_counter", lambda: next(clock))
    pixels = keras.Input((4, 4, 3))
    model = keras.Model(pixels, keras.layers.Flatten()(pixels))
    assert table._images_per_second(model) == table.BATCH / 2


def test_figures_are_those_of_the_network(tmp_path, capsys):
    files = [str(tmp_path / "table.json"), str(tmp_path / "table.md")]
    main(["residual_small", "--no-speed", "--json", files[0], "--markdown", files[1]])
    written = json.loads((tmp_path / "table.json").read_text())
    (row,) = written["models"]
    published = models.published("residual_small")
    assert (row["name"], row["year"]) == ("residual_small", published.year)
    assert (row["height"], row["width"], row["embedding_size"]) == (112, 112, 128)
    assert row["parameters"] == published.parameters
    # Four bytes for each parameter and each statistic, and the graph beside them.
    assert 4 * row["parameters"] < row["size_on_disk"] < 4.5 * row["parameters"]
    assert row["images_per_second"] is None
    assert {"git_revision", "machine", "versions", "batch"} <= set(written)
    assert (tmp_path / "table.md").read_text() == capsys.readouterr().out


def test_summary_names_the_layers(capsys):
    main(["residual_small", "--summary"])
    printed = capsys.readouterr().out
    assert re.search(r"stage2_block1_conv1_norm", printed)
    assert "images/s" not in printed


def test_summary_of_a_network_of_keras(capsys):
    main(["keras:MobileNet", "--summary"])
    printed = capsys.readouterr().out
    assert "conv_dw_1" in printed and "bottleneck" in printed
    assert "(None, 112, 112, 3)" in printed


def test_plot_draws_the_layers_by_their_names(tmp_path, monkeypatch, capsys):
    def drawn(model, to_file, **how):  # all but the program that draws
        to_file.write_text(keras.utils.model_to_dot(model, **how).to_string())

    monkeypatch.setattr(keras.utils, "plot_model", drawn)
    file = tmp_path / "net.svg"
    main(["residual_small", "--plot", str(file)])
    assert capsys.readouterr().out.strip() == str(file)
    assert "stage2_block1_conv1_norm" in file.read_text()
    assert "(None, 112, 112, 3)" in file.read_text()


def test_plot_without_its_packages(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise ImportError("You must install pydot")

    monkeypatch.setattr(keras.utils, "plot_model", missing)
    with pytest.raises(
        InputError, match=r"net.png: pip install .facenet-tf\[plot\]., and install Graphviz"
    ):
        main(["residual_small", "--plot", str(tmp_path / "net.png")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nn9"], "no architecture 'nn9'; there are deepface, "),
        (["keras:MobileNot", "--summary"], "keras.applications has no 'MobileNot'; it has "),
        (["keras:MobileNet"], "keras:MobileNet: no paper has it; give --summary or --plot"),
        (["--plot", "net.png"], "--plot net.png: name one architecture"),
        (["nn2", "nn3", "--plot", "net.png"], "--plot net.png: name one architecture"),
        (["nn2", "--plot", "net.txt"], "--plot net.txt: give a name that ends in .png"),
        (["--json", "none/table.json"], "--json none/table.json: make its directory first"),
    ],
    ids=" ".join,
)
def test_bad_usage(arguments, message):
    with pytest.raises(InputError, match=re.escape(message)):
        main(arguments)
