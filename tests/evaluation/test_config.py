import dataclasses
import importlib.util
import re
import sys
from pathlib import Path

import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.inputs import Foreign
from facenet_tf.evaluation.options.bins import BinsOptions
from facenet_tf.evaluation.options.comparison import ComparisonOptions
from facenet_tf.evaluation.options.learning_curve import LearningCurveOptions
from facenet_tf.evaluation.options.quality import QualityOptions
from facenet_tf.evaluation.options.robustness import RobustnessOptions


@pytest.fixture
def config(tmp_path) -> EvaluateConfig:
    (tmp_path / "model.keras").touch()
    return EvaluateConfig(run=tmp_path)


def test_defaults_are_the_demonstration():
    config = EvaluateConfig().resolved()
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
        ({"pairs": Path()}, r"--pairs \. is a folder: give --protocol cfp_ff"),
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
        ({"list_only": True}, "--list-only needs --pairs"),
        ({"few_shot": (1, 0)}, "--few-shot"),
        ({"draws": 1}, "--draws"),
        ({"degrade": ("grey", "blur")}, "--degrade blur"),
    ],
)
def test_options_that_cannot_be_meant_are_named(config, changes, named):
    with pytest.raises(InputError, match=named):
        dataclasses.replace(config, **changes).check()


def test_a_list_alone_is_one_of_the_users_own(config):
    alone = dataclasses.replace(config, pairs=Path("pairs.txt"), list_only=True).resolved()
    alone.check()
    assert alone.protocol == "pairs"
    named = dataclasses.replace(config, pairs=Path("pairs.txt"), protocol="lfw_view2")
    assert named.resolved().protocol == "lfw_view2"
    assert config.resolved().protocol == "none"


def test_files_of_one_name_are_written_to_directories_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = ["a/x.npz", "b/x.npz", "b/x.csv", "x.npz", "x.onnx", "../x.npz", "/x/a/x.npz"]
    for dataset in (None, Path("data/mine")):
        outputs = [EvaluateConfig(Path(source), dataset).output_directory for source in sources]
        assert len(set(outputs)) == len(outputs)
    outputs = [EvaluateConfig(Path(source)).output_directory for source in sources]
    assert outputs[0] == Path("runs/a+x.npz/embeddings")
    assert outputs[3] == Path("runs/x.npz/embeddings")
    assert EvaluateConfig(tmp_path / "a/x.npz").output_directory == outputs[0]
    of_weights = EvaluateConfig(dataset=Path("data/mine"), weights="others/x.pt")
    assert of_weights.output_directory == Path("runs/others+x.pt/mine")


def test_with_weights_the_dataset_comes_first():
    given = EvaluateConfig(Path("data/mine"), weights="dlib").resolved()
    assert given.dataset == Path("data/mine")
    assert given.output_directory == Path("runs/dlib/mine")
    recipe = EvaluateConfig(dataset=Path("data/mine"), weights="dlib")
    assert recipe.resolved() == recipe
    run = EvaluateConfig(Path("runs/mine"), Path("data/mine"))
    assert run.resolved() == run


def test_weights_as_the_first_argument_are_the_option(tmp_path):
    of_openface = tmp_path / "openface"
    of_openface.mkdir()
    (of_openface / "conv1_w.csv").touch()
    for source in ("dlib", "others/x.pt", str(of_openface)):
        named = EvaluateConfig(Path(source), Path("data/mine")).resolved()
        assert named == EvaluateConfig(Path("data/mine"), weights=source).resolved()
        assert named == named.resolved()
        assert named.output_directory.parts[0] == "runs"


def test_weights_have_one_dataset():
    with pytest.raises(InputError, match=r"--weights dlib: data.a and data.b\? Name one dataset"):
        EvaluateConfig(Path("data/a"), Path("data/b"), weights="dlib").resolved()


def test_embeddings_alone_need_no_dataset():
    alone = EvaluateConfig(Path("mine.npz"), compare=("theirs.csv",)).resolved()
    assert alone.dataset is None
    assert alone.output_directory == Path("runs/mine.npz/embeddings")
    joined = EvaluateConfig(Path("mine.npz"), Path("data/mine")).resolved()
    assert joined.output_directory == Path("runs/mine.npz/mine")
    mixed = EvaluateConfig(Path("mine.npz"), compare=("model.onnx",))
    with pytest.raises(InputError, match=r"mine\.npz has no pictures, .* name their dataset"):
        mixed.resolved()


def test_systems_are_checked_before_anything_is_opened(tmp_path):
    for name in ("a.npz", "b.npz", "c.onnx"):
        (tmp_path / name).touch()
    a, b, c = (str(tmp_path / name) for name in ("a.npz", "b.npz", "c.onnx"))
    for options, named in (
        ({"compare": ("gone.npz",)}, r"gone\.npz: there is no such file"),
        ({"compare": (b, b)}, "--compare .*b.npz is given more than once"),
        ({"compare": (f"{b}@",)}, "give SOURCE, or SOURCE@DATASET"),
        ({"compare": (c,)}, r"c\.onnx does not say how its crops are made"),
        ({"flip_average": True}, "--flip-average needs pictures"),
        ({"degrade": ("grey",)}, "--degrade needs pictures"),
        ({"classical": ("lbp",)}, "--classical needs pictures"),
        ({"foreign": Foreign("fixed")}, r"--foreign\.normalization needs a SavedModel"),
        ({"bins": BinsOptions((Path("lfw.bin"),))}, r"--bins\.files needs pictures"),
        ({"robustness": RobustnessOptions(("blur",))}, r"--robustness\.kinds needs pictures"),
        ({"dataset": Path(b)}, r"b\.npz is a file .* --compare .*b\.npz"),
        ({"comparison": ComparisonOptions(draws=0)}, r"--comparison\.draws"),
        ({"compare": (b,), "comparison": ComparisonOptions(draws=38)}, "2 systems .* give 39"),
        ({"comparison": ComparisonOptions(draws=50)}, r"--comparison\.draws needs --compare"),
        ({"foreign": Foreign(channels="bgr")}, r"--foreign\.channels needs a SavedModel"),
        ({"robustness": RobustnessOptions(pictures=1)}, r"--robustness\.pictures"),
        ({"quality": QualityOptions(limit=1.0)}, r"--quality\.limit"),
    ):
        with pytest.raises(InputError, match=named):
            EvaluateConfig(Path(a), **options).check()
    foreign = Foreign("fixed", "five_points")
    EvaluateConfig(Path(a), Path("data/mine"), compare=(c, f"{b}@data"), foreign=foreign).check()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (RobustnessOptions(pictures=9), r"--robustness\.pictures needs --robustness\.kinds"),
        (RobustnessOptions(bootstrap=9), r"--robustness\.bootstrap needs --robustness\.kinds"),
        (LearningCurveOptions(shots=(1,)), r"curve\.shots needs --learning-curve\.draws"),
        (QualityOptions(curves=False, limit=0.1), r"--quality\.limit needs --quality\.curves"),
    ],
)
def test_options_that_nothing_looks_at_are_refused(options, told):
    with pytest.raises(InputError, match=f"{told}: it has no effect without"):
        options.check()


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
        after = next(text for text in source[line + 1 :] if re.match(r' {4}("""|\w+: )', text))
        assert after.startswith('    """'), field.name
