"""The commands' shared shape: recipes, refusals, exit codes."""

from pathlib import Path

import pytest

from facenet_tf import cli
from facenet_tf.errors import InputError, Interrupted
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.config import TrainConfig

Config = Preprocessing


def recipe(tmp_path: Path, text: str) -> str:
    path = tmp_path / "recipe.py"
    path.write_text(text)
    return str(path)


def test_defaults_without_a_recipe():
    assert cli.load(Config, "train", []) == Config()


def test_options_override_the_recipe(tmp_path):
    path = recipe(
        tmp_path,
        "from facenet_tf.preprocessing import Preprocessing\ntrain = Preprocessing(size=72)\n",
    )
    assert cli.load(Config, "train", ["--config", path]).size == 72
    loaded = cli.load(Config, "train", ["--config", path, "--color", "grey"])
    assert loaded == Config(size=72, color="grey")


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["--sise", "3"], "--sise"),
        (["surplus"], "surplus"),
        (["--size", "many"], "--size"),
        (["--config"], "--config"),
        (["--config", "nowhere.py"], "nowhere.py"),
        (["--config="], "--config"),
        (["--config", ""], "--config"),
        (["--config", "a.py", "--config=b.py"], "more than once"),
    ],
)
def test_bad_options_are_refused_in_one_line(argv, named):
    with pytest.raises(InputError) as error:
        cli.load(Config, "train", argv)
    assert named in str(error.value)
    assert "\n" not in str(error.value) and "helptext" not in str(error.value)


def test_a_recipe_must_define_the_part(tmp_path):
    with pytest.raises(InputError, match="train = Preprocessing"):
        cli.load(Config, "train", ["--config", recipe(tmp_path, "train = 3\n")])


def test_a_broken_recipe_is_named(tmp_path):
    path = recipe(tmp_path, "import nothing_of_this_name\n")
    with pytest.raises(InputError, match=r"recipe\.py: ModuleNotFoundError"):
        cli.load(Config, "train", ["--config", path])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (InputError("bad folder"), 2),
        (Interrupted("go on with --resume"), 75),
        (KeyboardInterrupt(), 1),
        (ZeroDivisionError("oops"), 1),
    ],
)
def test_exit_codes(error, code, capsys):
    def command(argv):
        if error:
            raise error

    with pytest.raises(SystemExit) as stop:
        cli.run(command, [])
    assert stop.value.code == code
    said = capsys.readouterr().err
    assert said.count("\n") == (code != 0)
    assert "Traceback" not in said


def test_an_unknown_option_is_named_even_where_its_value_fits_elsewhere():
    with pytest.raises(InputError, match=r"unknown option '--sise'"):
        cli.load(TrainConfig, "train", ["--sise", "4"])


def test_help_exits_with_zero(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.load(Config, "train", ["--help"])
    assert stop.value.code == 0
    assert "Height of the crop" in capsys.readouterr().out


def test_debug_is_taken_out_of_the_options():
    seen = []
    with pytest.raises(SystemExit):
        cli.run(lambda argv: seen.extend(argv), ["--debug", "--size", "72"])
    assert seen == ["--size", "72"]
