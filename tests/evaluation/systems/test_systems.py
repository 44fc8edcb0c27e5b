"""From any kind of input to an evaluation: the same network must give the same figures."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.inputs import Foreign
from facenet_tf.evaluation.made import Made
from facenet_tf.evaluation.options.comparison import ComparisonOptions
from facenet_tf.evaluation.options.fairness import FairnessOptions
from facenet_tf.evaluation.options.projection import ProjectionOptions
from facenet_tf.evaluation.report.console import console_table
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.run import evaluate_run
from facenet_tf.evaluation.systems.subject import Subject, open_subject
from facenet_tf.evaluation.systems.vectors_file import read_made
from facenet_tf.records.checksums import of_file

from ...conftest import evaluate_without_plots

FEW = {
    "repeats": 2,
    "bootstrap": 0,
    "projection": ProjectionOptions(()),
    "draws": 2,
    "fars": (0.1,),
}
INSIDE = Foreign("inside", "five_points")
FILES = ("flipped.npz", "silent.npz")


@pytest.fixture(scope="module")
def exported(small_model, tmp_path_factory):
    """The small model with its normalisation inside, as a SavedModel and for LiteRT."""
    path = tmp_path_factory.mktemp("exported")
    spec = tf.TensorSpec([None, *small_model.input_shape[1:]], tf.float32, name="pixels")
    serve = tf.function(lambda pixels: {"embedding": small_model(pixels)}, input_signature=[spec])
    module = tf.Module()
    module.model = small_model
    tf.saved_model.save(module, str(path / "saved"), signatures={"serving_default": serve})
    converter = tf.lite.TFLiteConverter.from_keras_model(small_model)
    (path / "model.tflite").write_bytes(converter.convert())
    return path


def unseen(figures):
    return figures["verification"]["unseen_people"]


@pytest.mark.parametrize("name", ["saved", "model.tflite"])
def test_exported_network_has_the_figures_of_its_run(name, exported, dataset, evaluated, tmp_path):
    config = EvaluateConfig(
        exported / name, dataset.directory, output=tmp_path, foreign=INSIDE, **FEW
    )
    figures = evaluate_without_plots(config)
    assert unseen(figures)["auc"] == pytest.approx(unseen(evaluated[1])["auc"], abs=1e-3)
    assert set(figures["baselines"]) == {"raw_pixels"}
    assert figures["model"]["parameters"] is None
    assert "unknown" in figures["seen_people"]["known_from"]


def test_a_keras_file_of_a_run_is_the_run(run, dataset, evaluated):
    subject = open_subject(EvaluateConfig(run / "model.keras", dataset.directory), dataset)
    assert subject.run["git_revision"] == "abc"
    assert subject.kind == "keras"


@pytest.fixture(scope="module")
def alone(evaluated, tmp_path_factory):
    """The run's embeddings measured without any dataset."""
    output = tmp_path_factory.mktemp("alone")
    config = EvaluateConfig(evaluated[0] / "embeddings.npz", output=output, **FEW)
    return output, evaluate_without_plots(config)


def test_embeddings_alone_give_the_figures_without_lost_pictures(evaluated, alone, world):
    """The file has neither the lost picture nor a word that the duplicate is one."""
    figures = alone[1]
    compared = world.test_people * world.pictures - 1
    assert unseen(figures)["pairs"] == compared * (compared - 1) // 2
    assert figures["dataset"]["preprocessing"] is None
    assert figures["baselines"] == {}
    report = (alone[0] / "report.html").read_text()
    assert "embeddings.npz" in report and "None" not in report
    json.dumps(figures, allow_nan=False)
    assert "VERIFICATION" in console_table(figures)


def test_embeddings_joined_with_their_dataset_are_the_run(evaluated, dataset, tmp_path):
    """The dataset says what was lost and what is a duplicate."""
    file = evaluated[0] / "embeddings.npz"
    figures = evaluate_without_plots(
        EvaluateConfig(file, dataset.directory, output=tmp_path, **FEW)
    )
    for key in ("auc", "eer", "pairs", "pairs_with_lost_picture"):
        assert unseen(figures)[key] == pytest.approx(unseen(evaluated[1])[key])
    assert set(figures["baselines"]) == set()


def test_systems_of_all_kinds_are_compared(run, evaluated, exported, dataset, tmp_path):
    others = (str(evaluated[0] / "embeddings.npz"), str(exported / "saved"))
    config = EvaluateConfig(
        run,
        dataset.directory,
        output=tmp_path,
        compare=others,
        comparison=ComparisonOptions(draws=120),
        foreign=INSIDE,
        baselines=False,
        **FEW,
    )
    figures = evaluate_run(config)
    assert set(figures["baselines"]) == set(others)
    found = figures["comparison"]["sets"]["unseen_people"]["figures"]["auc"]
    assert [(one["a"], one["b"]) for one in found] == [
        ("trained", others[0]),
        ("trained", others[1]),
        others,
    ]
    for one in found:
        assert one["difference"] == pytest.approx(0, abs=1e-6) and not one["significant"]
    assert (tmp_path / "comparison_unseen_people.png").is_file()
    assert "too few to prove any difference" in (tmp_path / "report.html").read_text()


def test_embeddings_say_what_made_them(run, evaluated, alone):
    """Also those that an evaluation of a file writes again."""
    made = read_made(evaluated[0] / "embeddings.npz")
    assert made.model_sha256 == of_file(run / "model.keras")
    assert made.embedding == {"flip_average": False, "jitter": 0, "degrade": []}
    assert read_made(alone[0] / "embeddings.npz") == made


def test_a_compared_file_that_was_averaged_otherwise_is_said(evaluated, tmp_path, caplog):
    with np.load(evaluated[0] / "embeddings.npz") as saved:
        arrays = {name: saved[name] for name in saved.files}
    made = Made("b" * 64, {"flip_average": True, "jitter": 0, "degrade": []})
    np.savez(tmp_path / "flipped.npz", **{**arrays, "made": np.array(made.as_text())})
    np.savez(tmp_path / "silent.npz", **{**arrays, "made": np.array("by hand")})
    own, flipped, silent = (
        open_subject(EvaluateConfig(path), None)
        for path in (evaluated[0] / "embeddings.npz", *map(tmp_path.joinpath, FILES))
    )
    assert own.described(own.looks)["protocol"].endswith("computed by a file")
    assert not caplog.messages
    told = flipped.described(own.looks)["protocol"]
    assert "its embeddings have flip_average = True, not False" in told
    assert "flip_average = True, not False" in caplog.messages[-1]
    assert silent.described(own.looks)["protocol"].endswith("is not checked")
    assert own.described(silent.looks)["protocol"].endswith("is not checked")


def test_a_picture_that_the_file_lacks_is_named(evaluated, dataset, tmp_path):
    with np.load(evaluated[0] / "embeddings.npz") as saved:
        arrays = {name: saved[name][1:] for name in saved.files if saved[name].ndim}
        first = saved["keys"][0]
    np.savez(tmp_path / "short.npz", **arrays)
    subject = open_subject(EvaluateConfig(tmp_path / "short.npz", dataset.directory), dataset)
    roster = Roster.of(dataset)
    with pytest.raises(InputError, match=rf"1 of 48 pictures are not in it \(first: {first}\)"):
        subject.vectors(roster.where(np.isin(roster.splits, ["test", "validation"])))


def test_a_picture_of_somebody_else_is_named(evaluated, dataset, tmp_path):
    with np.load(evaluated[0] / "embeddings.npz") as saved:
        arrays = dict(saved)
    arrays["identities"] = np.char.replace(arrays["identities"], "P5", "Q5")
    np.savez(tmp_path / "other.npz", **arrays)
    subject = open_subject(EvaluateConfig(tmp_path / "other.npz", dataset.directory), dataset)
    roster = Roster.of(dataset)
    with pytest.raises(InputError, match="shows Q5, elsewhere P5"):
        subject.vectors(roster.where(np.isin(roster.splits, ["test", "validation"])))


def test_zero_vectors_of_a_network_count_as_lost(dataset, tmp_path):
    """A network that sees nothing in crops that are darker than most."""
    side = dataset.preprocessing.size
    pixels = keras.Input((side, side, 3))
    x = keras.layers.AveragePooling2D(8)(pixels)
    x = keras.layers.ReLU()(keras.layers.Rescaling(1.0, -150.0)(keras.layers.Flatten()(x)))
    model = keras.Model(pixels, x)
    spec = tf.TensorSpec([None, side, side, 3], tf.float32)
    serve = tf.function(lambda crops: {"x": model(crops)}, input_signature=[spec])
    module = tf.Module()
    module.model = model
    tf.saved_model.save(module, str(tmp_path / "dark"), signatures={"serving_default": serve})
    config = EvaluateConfig(tmp_path / "dark", dataset.directory, foreign=INSIDE)
    subject = open_subject(config, dataset)
    vectors = subject.vectors(Roster.of(dataset))
    zero = vectors.roster.outcomes == "zero_vector"
    assert np.isnan(vectors.values[zero]).all()
    assert vectors.roster.lost[zero].all()
    assert (np.linalg.norm(vectors.values[~vectors.roster.lost], axis=1) > 0.99).all()


def test_a_bad_file_of_an_option_stops_before_anything_is_embedded(
    run, dataset, tmp_path, monkeypatch
):
    (tmp_path / "x.csv").write_text("sex\nf\n")
    monkeypatch.setattr(Subject, "vectors", None)
    fairness = FairnessOptions(attributes=tmp_path / "x.csv")
    output = tmp_path / "out"
    with pytest.raises(InputError, match=r"x\.csv: it needs a column"):
        evaluate_run(EvaluateConfig(run, dataset.directory, output=output, fairness=fairness))
    assert not output.exists()
