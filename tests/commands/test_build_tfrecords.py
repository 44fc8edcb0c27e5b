import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facenet_tf import cli
from facenet_tf.commands import build_tfrecords
from facenet_tf.records import builder
from facenet_tf.records.config import BuildConfig

cv2 = pytest.importorskip("cv2")
CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def people(tmp_path):
    for person in ("ann", "bob", "cy"):
        for number in range(2):
            path = tmp_path / "people" / person / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng([*person.encode(), number])
            cv2.imwrite(str(path), noise.integers(0, 255, (60, 60, 3), np.uint8))
    return tmp_path / "people"


class Blind:
    """A detector that finds nothing."""

    name = "blind"

    def __init__(self, config):
        pass

    def describe(self):
        return {"name": self.name}

    def relaxed(self):
        return self

    def detect(self, images):
        return [[] for _ in images]


@pytest.fixture
def build(monkeypatch, capsys):
    """Runs the command with a detector that finds nothing; returns exit code, output, errors."""
    build_dataset = builder.build_dataset
    # Not isolated: processes of their own would take longer than all the rest.
    blind = lambda config, isolated: build_dataset(config, Blind)  # noqa: E731
    monkeypatch.setattr(builder, "build_dataset", blind)

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            cli.run(build_tfrecords.main, [str(argument) for argument in arguments])
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return run


def test_prints_what_became_of_the_pictures(build, people, tmp_path):
    code, out, _ = build(people, "--output", tmp_path / "out", "--workers", 1, "--fallback")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["fallback", "6", "100.00%"] in lines
    assert ["all", "6"] in lines
    assert ["train", "3", "6"] in lines
    assert str(tmp_path / "out") in out
    assert f"python train.py {tmp_path / 'out'}" in out
    assert (tmp_path / "out" / "dataset.json").is_file()


def test_recipe_with_overrides(build, people, tmp_path):
    recipe = tmp_path / "recipe.py"
    recipe.write_text(
        "from facenet_tf.records.config import BuildConfig\n"
        "build = BuildConfig(source='folder', name='friends', fallback=True, workers=1)\n"
    )
    out = tmp_path / "out"
    code, _, _ = build(
        people, "--config", recipe, "--output", out, "--size", 64, "--test-people", 1
    )
    assert code == 0
    manifest = builder.FaceDataset.open(out).manifest
    assert (manifest["name"], manifest["preprocessing"]["size"]) == ("friends", 64)
    assert manifest["splits"]["test"]["identities"] == 1


@pytest.mark.parametrize("given", [["--config", "{}"], ["--config={}"]])
def test_next_command_keeps_the_recipe(build, people, tmp_path, given):
    recipe = tmp_path / "my recipe.py"
    recipe.write_text(
        "from facenet_tf.records.config import BuildConfig\n"
        "build = BuildConfig(fallback=True, workers=1)\n"
    )
    out = tmp_path / "out"
    arguments = [argument.format(recipe) for argument in given]
    code, told, _ = build(people, "--output", out, *arguments)
    assert code == 0
    assert told.endswith(f"python train.py {out} --config '{recipe}'\n")


def test_folder_whose_name_is_not_utf8(build, people, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / b"M\xfcller".decode("utf-8", "surrogateescape")
    people.rename(odd)
    code, told, _ = build(odd, "--workers", 1, "--fallback")
    assert (code, "data/M_xfcller" in told) == (0, True)
    manifest = builder.FaceDataset.open(tmp_path / "data" / "M_xfcller").manifest
    assert manifest["variant"] == "M\\xfcller (given directory)"


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["{}/nowhere"], "nowhere does not exist"),
            (["{}/empty"], "holds no pictures"),
            (["{}/people", "--output", "{}/file/out"], "cannot be written"),
            (["{}/people", "--output", "{}/people/out"], "inside the pictures"),
            (["{}/people", "--colour", "grey"], "--colour"),
            (["{}/people", "--quality", "0"], "--quality"),
            (["{}/people", "--size", "small"], "size"),
            (["{}/people", "--size", "3"], "size"),
            (["{}/people", "--seed", "-1"], "--seed"),
            (["{}/people", "--test-people", "nan"], "--test-people"),
            (["{}/people", "--config", "{}/nowhere.py"], "nowhere.py"),
            (["{}/people", "--workers", "1", "--output", "{}/out"], "6 no_face"),
        ],
    )
    def test_one_line_and_exit_code_2(self, build, people, tmp_path, arguments, message):
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").write_text("x")
        code, out, err = build(*(argument.format(tmp_path) for argument in arguments))
        assert code == 2
        assert out == ""
        assert "Traceback" not in err
        complaints = [line for line in err.splitlines() if line.startswith("error: ")]
        assert len(complaints) == 1
        assert message in complaints[0]
        assert err.rstrip().endswith(complaints[0])

    def test_debug_shows_the_traceback(self, build, tmp_path, caplog):
        code, _, _ = build(tmp_path / "nowhere", "--debug")
        assert code == 2
        assert caplog.records[-1].exc_info is not None

    def test_finished_dataset(self, build, people, tmp_path):
        command = (people, "--output", tmp_path / "out", "--workers", 1, "--fallback")
        assert build(*command)[0] == 0
        code, _, err = build(*command, "--seed", 1)
        assert (code, "--overwrite" in err) == (2, True)
        assert build(*command, "--seed", 1, "--overwrite")[0] == 0


def test_finished_dataset_that_is_up_to_date(build, people, tmp_path):
    command = (people, "--output", tmp_path / "out", "--workers", 1, "--fallback")
    first, again = build(*command), build(*command)
    assert again[:2] == first[:2] == (0, first[1])


def test_interruption_says_how_to_continue(people, tmp_path, monkeypatch, capsys):
    def interrupted(config, isolated):
        raise KeyboardInterrupt

    monkeypatch.setattr(builder, "build_dataset", interrupted)
    with pytest.raises(SystemExit) as left:
        cli.run(build_tfrecords.main, [str(people)])
    assert left.value.code == 75
    assert "the same command continues" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["att", "pubfig83", "lfw", "lfw_view1", "imfdb_nn2"])
def test_recipes(name, tmp_path):
    arguments = [] if name == "att" else [str(tmp_path)]
    config = cli.load(BuildConfig, "build", [*arguments, "--config", str(CONFIGS / f"{name}.py")])
    assert config.resolved().name == name.replace("imfdb_nn2", "imfdb")


def test_help_explains_every_field_without_tensorflow():
    check = (
        "import sys; from facenet_tf.commands.build_tfrecords import entry\n"
        "sys.argv = ['build', '--help']\n"
        "try: entry()\n"
        "finally: assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    for option in ("--identity-level", "--size", "--duplicates", "--config", "--debug"):
        assert option in done.stdout
