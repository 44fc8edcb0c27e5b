import dataclasses
import importlib.util
import sys
from pathlib import Path

import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig


@pytest.fixture
def config(tmp_path) -> EvaluateConfig:
    (tmp_path / "model.keras").touch()
    return EvaluateConfig(run=tmp_path)


def test_defaults_are_the_demonstration():
    config = EvaluateConfig()
    assert (config.run, config.dataset) == (Path("runs/att"), Path("data/att"))
    assert config.output_directory == Path("runs/att/evaluation")


def test_sensible_options_pass(config):
    config.check()
    pairs = Path("pairs.txt")
    dataclasses.replace(config, protocol="lfw_view2", pairs=pairs).check()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"protocol": "lfw_view1"}, r"--pairs.*pairsDevTest\.txt"),
        ({"pairs": Path("pairs.txt")}, "--protocol"),
        ({"run": Path("nowhere")}, r"nowhere.model\.keras"),
        ({"batch_size": 0}, "--batch-size"),
        ({"unseen_people": 1}, "--unseen-people"),
        ({"repeats": 1}, "--repeats"),
        ({"bootstrap": -1}, "--bootstrap"),
        ({"jitter": -1}, "--jitter"),
        ({"seed": -1}, "--seed"),
        ({"svm_c": (1.0, 0.0)}, "--svm-c"),
        ({"svm_kernels": ()}, "--svm-kernels"),
        ({"fars": (0.1, 0.0)}, "--fars"),
        ({"list_only": True}, "--list-only needs --protocol"),
        ({"few_shot": (1, 0)}, "--few-shot"),
        ({"draws": 1}, "--draws"),
        ({"degrade": ("grey", "blur")}, "--degrade blur"),
    ],
)
def test_options_that_cannot_be_meant_are_named(config, changes, named):
    with pytest.raises(InputError, match=named):
        dataclasses.replace(config, **changes).check()


def test_with_weights_the_dataset_comes_first():
    given = EvaluateConfig(Path("data/mine"), weights="dlib").resolved()
    assert given.dataset == Path("data/mine")
    assert given.output_directory == Path("runs/dlib/mine")
    recipe = EvaluateConfig(dataset=Path("data/mine"), weights="dlib")
    assert recipe.resolved() == recipe
    run = EvaluateConfig(Path("runs/mine"), Path("data/mine"))
    assert run.resolved() == run


def test_weights_need_their_package_and_no_run(monkeypatch):
    config = EvaluateConfig(dataset=Path("data/mine"), weights="dlib")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"facenet-tf\[pretrained\]"):
        config.check()
    dataclasses.replace(config, weights="model.keras").check()


def test_every_field_is_explained_to_help():
    source = Path(sys.modules[EvaluateConfig.__module__].__file__).read_text().splitlines()
    for field in dataclasses.fields(EvaluateConfig):
        line = next(i for i, text in enumerate(source) if text.startswith(f"    {field.name}: "))
        assert source[line + 1].startswith('    """'), field.name
