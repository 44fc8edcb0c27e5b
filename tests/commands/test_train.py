"""What a command line makes of defaults: another loss leaves behind the options of the first; what
an interruption is before there is a step to go on from."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from facenet_tf import cli
from facenet_tf.commands.train import configured, main
from facenet_tf.errors import InputError
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.loss_terms import names_of

RECIPE = """
from facenet_tf.training.config import Stage, TrainConfig
train = TrainConfig(
    warm_up=Stage("arcface", epochs=7, margin=0.3, options={"scale": 30.0}, memory=5),
    main=Stage("triplet", epochs=2, mining="semi_hard", margin=0.4, distance="squared"),
)
"""


def options(stage: Stage) -> tuple:
    return stage.loss, stage.mining, stage.margin, stage.scale


@pytest.mark.parametrize(
    ("words", "warm_up", "main"),
    [
        ("", ("cosface", None, 0.2, 24.0), ("triplet", "batch_hard", None, None)),
        ("--warm-up.loss arcface", ("arcface", None, None, None), None),
        ("--warm-up.loss arcface --warm-up.margin 0.2", ("arcface", None, 0.2, None), None),
        ("--warm-up.loss cosface", ("cosface", None, 0.2, 24.0), None),
        ("--warm-up.loss cosface+0.01*centre", ("cosface+0.01*centre", None, 0.2, 24.0), None),
        ("--main.loss cosface --main.scale 9", None, ("cosface", None, None, 9.0)),
        ("--loss contrastive --main.mining all", None, ("contrastive", "all", None, None)),
        ("--loss triplet --main.mining semi_hard", None, ("triplet", "semi_hard", None, None)),
        ("--loss triplet/semi_hard", None, ("triplet/semi_hard", None, None, None)),
        ("--mining semi_hard", None, ("triplet", "semi_hard", None, None)),
    ],
)
def test_options_belong_to_the_loss_that_they_were_meant_for(words, warm_up, main):
    config = configured(words.split()).with_loss()
    default = TrainConfig()
    assert options(config.warm_up) == (warm_up or options(default.warm_up))
    assert options(config.main) == (main or options(default.main))


def test_options_of_an_architecture_are_numbers_or_words():
    words = "--model-options strides 2 multiplier 1.5 norm batch"
    config = configured(words.split())
    assert config.model_options == {"strides": 2, "multiplier": 1.5, "norm": "batch"}
    assert isinstance(config.model_options["strides"], int)


@pytest.mark.parametrize("option", ["width", "dropout", "head"])
def test_an_option_of_an_architecture_has_one_name(option):
    with pytest.raises(InputError, match=f"--model-options {option} 1: give --{option} 1"):
        configured(["--model-options", option, "1"]).check()


def test_so_do_those_of_a_recipe(tmp_path):
    recipe = tmp_path / "recipe.py"
    recipe.write_text(RECIPE)
    asked = ["--config", str(recipe), "--warm-up.loss", "cosface", "--loss", "circle"]
    config = configured([*asked, "--warm-up.scale", "8"]).with_loss()
    assert config.warm_up == Stage("cosface", epochs=7, scale=8.0, memory=5)
    assert config.main == Stage("circle", epochs=2)
    kept = configured(["--config", str(recipe), "--main.epochs", "3"]).with_loss()
    assert options(kept.main) == ("triplet", "semi_hard", 0.4, None)
    assert kept.warm_up.options == {"scale": 30.0}


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        ("cosface", {"cosface"}),
        ("triplet/semi_hard + 1e-3*centre", {"triplet", "centre"}),
        (".5 * a+b", {"a", "b"}),
        ("2 ** a", set()),
    ],
)
def test_names_of_the_losses_in_a_sum(loss, names):
    assert names_of(loss) == names


@pytest.mark.parametrize(("options", "code"), [([], 1), (["--resume"], 75)])
def test_who_resumes_can_do_so_again_if_interrupted_at_the_start(
    options, code, tmp_path, monkeypatch, capsys
):
    def interrupted(config):
        raise KeyboardInterrupt

    room = SimpleNamespace(train=interrupted)
    monkeypatch.setitem(sys.modules, "facenet_tf.training.fit", room)
    run = tmp_path / "run"
    if options:
        run.mkdir()
        (run / "config.json").write_text("{}")
    with pytest.raises(SystemExit) as stop:
        cli.run(main, [str(tmp_path), "--output", str(run), *options])
    assert stop.value.code == code
    assert ("--resume" in capsys.readouterr().err) == bool(options)


@pytest.mark.parametrize(
    ("holds_a_run", "options", "says"),
    [
        (True, [], "run holds a run: give --resume, --overwrite or another --output"),
        (False, ["--resume"], "run holds no run; leave --resume out to start one"),
        (False, ["--main.epochs", "-1"], "--main.epochs -1"),
    ],
)
def test_what_needs_no_tensorflow_is_refused_before_its_import(
    holds_a_run, options, says, tmp_path
):
    run = tmp_path / "run"
    run.mkdir()
    if holds_a_run:
        (run / "config.json").write_text('{"fingerprint": ""}')
    script = (
        "import sys\n"
        "from facenet_tf.commands.train import main\n"
        "from facenet_tf.errors import InputError\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except InputError as error:\n"
        "    print(error)\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(tmp_path), "--output", str(run), *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert says in ended.stdout
