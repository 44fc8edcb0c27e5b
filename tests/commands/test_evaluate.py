"""The command: options in, table out, exit codes. The evaluation itself is tested in its room."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facenet_tf import cli
from facenet_tf.commands import evaluate
from facenet_tf.errors import InputError

FIGURES = {
    "svm": {
        "accuracy": 0.8252,
        "macro_f1": 0.79,
        "protocol": "p",
        "people": ["ann", "bob"],
        "confusion_matrix": [[3, 1], [0, 2]],
        "classification_report": {},
    },
    "verification": {},
    "baselines": {},
    "pictures": {"lost_count": 0},
    "config": {"fars": [0.1]},
}


@pytest.fixture
def run(tmp_path):
    (tmp_path / "model.keras").touch()
    return tmp_path


@pytest.fixture
def evaluated(monkeypatch):
    """Stands in for the evaluation and remembers the configs it was asked for."""
    room = importlib.import_module("facenet_tf.evaluation.run")
    configs = []

    def remember(config):
        configs.append(config)
        return FIGURES

    monkeypatch.setattr(room, "evaluate_run", remember)
    return configs


def test_prints_the_figures_and_what_was_written(run, evaluated, capsys):
    evaluate.main([str(run), "somewhere", "--seed", "5"])
    printed = capsys.readouterr().out
    assert "0.8252" in printed
    assert "ann" in printed
    assert str(run / "evaluation" / "report.html") in printed
    assert str(run / "evaluation" / "evaluation.json") in printed
    assert evaluated[0].seed == 5


def test_output_can_be_chosen(run, evaluated, capsys, tmp_path):
    evaluate.main([str(run), "somewhere", "--output", str(tmp_path / "there")])
    assert str(tmp_path / "there" / "evaluation.json") in capsys.readouterr().out
    assert evaluated[0].output == tmp_path / "there"


def test_weights_stand_in_the_place_of_a_run(evaluated, capsys):
    evaluate.main(["data/mine", "--weights", "facenet.keras"])
    printed = capsys.readouterr().out
    assert evaluated[0].dataset == Path("data/mine")
    assert str(Path("runs/facenet.keras/mine/report.html")) in printed
    assert "tensorboard" not in printed


RECIPES = Path(__file__).parents[2] / "configs"


def test_weights_take_the_place_of_a_recipes_run():
    recipe = ("--config", str(RECIPES / "pubfig83.py"))
    for words, dataset in (
        (("--weights", "dlib"), "data/pubfig83"),
        (("--weights", "dlib", "data/mine"), "data/mine"),
        (("dlib", "data/mine"), "data/mine"),
    ):
        config = evaluate.configured([*words, *recipe])
        assert (config.weights, config.dataset) == ("dlib", Path(dataset))
        assert config.output_directory == Path("runs/dlib", Path(dataset).name)
    with pytest.raises(InputError, match="Name one dataset"):
        evaluate.configured(["data/a", "data/b", "--weights", "dlib", *recipe])


def test_a_recipe_of_weights_takes_another_dataset():
    recipe = ("--config", str(RECIPES / "lfw_view2_dlib.py"))
    assert evaluate.configured(recipe).dataset == Path("data/lfw_dlib")
    assert evaluate.configured(["data/mine", *recipe]).dataset == Path("data/mine")


def test_missing_run_is_one_line_and_exit_code_2(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.run(evaluate.main, [str(tmp_path / "none")])
    assert stop.value.code == cli.BAD_INPUT
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "model.keras" in message


def test_missing_dataset_is_bad_input(run, tmp_path):
    with pytest.raises(InputError, match="no-dataset"):
        evaluate.main([str(run), str(tmp_path / "no-dataset")])


def test_bad_options_are_told_before_tensorflow_is_imported():
    script = (
        "import sys\n"
        "from facenet_tf import cli\n"
        "from facenet_tf.commands import evaluate\n"
        "try:\n"
        "    cli.run(evaluate.main, ['--repeats', '1'])\n"
        "finally:\n"
        "    print('tensorflow' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == cli.BAD_INPUT
    assert done.stdout.strip() == "False"


def test_embeddings_with_a_list_of_pairs_need_neither_tensorflow_nor_sklearn(tmp_path):
    random = np.random.default_rng(0)
    people = np.repeat(["ann", "bob", "cid", "dee"], 5)
    keys = [f"{name}/{name}_{row % 5 + 1:04d}.jpg" for row, name in enumerate(people)]
    np.savez(
        tmp_path / "theirs.npz",
        embeddings=random.normal(size=(20, 8)),
        identities=people,
        keys=keys,
    )
    pairs = [f"{keys[left]} {keys[left + 1]} 1" for left in range(0, 20, 2) if left % 5 < 4]
    pairs += [f"{keys[left]} {keys[(left + 5) % 20]} 0" for left in range(10)]
    (tmp_path / "pairs.txt").write_text("\n".join(pairs * 2))
    words = [
        *(str(tmp_path / "theirs.npz"), "--output", str(tmp_path / "out"), "--list-only"),
        *("--protocol", "pairs", "--pairs", str(tmp_path / "pairs.txt")),
    ]
    code = (
        "import sys; from facenet_tf.commands.evaluate import main; main(sys.argv[1:]); "
        "sys.exit(' '.join({'tensorflow', 'keras', 'sklearn', 'skops'} & set(sys.modules)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out" / "report.html").is_file()
    assert "SVM" not in ended.stdout  # there are no people to tell apart
