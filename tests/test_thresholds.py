"""The file of thresholds beside a model: read as it was written, and for no other weights."""

import dataclasses
import json
from pathlib import Path

import pytest

from facenet_tf import thresholds
from facenet_tf.errors import InputError
from facenet_tf.records.checksums import of_file
from facenet_tf.thresholds import Thresholds

POINTS = {
    "0.1": {"threshold": 1.2},
    "0.001": {"threshold": 0.5},
    "1e-06": {"skipped": "too few pairs"},
}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def written(model):
    found = Thresholds(of_file(model), {"fingerprint": "f"}, POINTS, 1.1, {"slope": -4.0})
    found.write(thresholds.place_beside(model))
    return found


def test_what_is_read_was_written(model, written):
    assert thresholds.place_beside(model).name == "model.keras.thresholds.json"
    assert thresholds.of_model(model) == written
    content = json.loads(thresholds.place_beside(model).read_text())
    assert content["format"] == 1
    assert "squared" in content["distance"]


def test_no_two_models_in_one_place_share_a_file(tmp_path):
    models = ["model.keras", "model.tflite", "model.onnx", "model", "net.v1", "net.v2", "net"]
    assert len({thresholds.place_beside(tmp_path / name) for name in models}) == len(models)


def test_a_saved_model_that_is_named_from_within_has_the_same_file(tmp_path, monkeypatch):
    saved = tmp_path / "net"
    saved.mkdir()
    monkeypatch.chdir(saved)
    assert thresholds.place_beside(Path()) == thresholds.place_beside(saved.resolve())


def test_a_model_without_a_file_has_none(model):
    assert thresholds.of_model(model) is None
    with pytest.raises(InputError, match=r"model\.keras\.thresholds\.json is missing"):
        thresholds.read(thresholds.place_beside(model))


def test_thresholds_by_false_accept_rate(written):
    assert written.usable == {0.001: 0.5, 0.1: 1.2}
    assert list(written.usable) == [0.001, 0.1]
    assert written.at(1e-3) == 0.5
    for far in (0.01, 1e-6):
        with pytest.raises(
            InputError, match=rf"FAR of {far:g} \(there are: 0\.001, 0\.1\).*--fars"
        ):
            written.at(far)


def test_other_weights_are_refused(model, written):
    model.write_bytes(b"trained on")
    with pytest.raises(InputError, match=r"other weights.*run evaluate\.py") as caught:
        thresholds.of_model(model)
    assert written.model_sha256[:12] in str(caught.value)


def test_averaged_embeddings_are_another_thing(model, written):
    averaged = {"flip_average": True, "jitter": 0}
    path = thresholds.place_beside(model)
    with pytest.raises(InputError, match=r"thresholds\.json was .* flip_average = False, not True"):
        thresholds.read_for(model, path, averaged)
    dataclasses.replace(written, embedding=averaged).write(path)
    assert thresholds.read_for(model, path, averaged).embedding == averaged
    with pytest.raises(InputError, match=r"flip_average = True, not False"):
        thresholds.of_model(model)


def test_a_file_that_does_not_say_how_is_for_one_look(model, written):
    path = thresholds.place_beside(model)
    content = json.loads(path.read_text())
    del content["embedding"]
    path.write_text(json.dumps(content))
    assert thresholds.of_model(model) == written


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"format": 1}', '{"format": 1, "model_sha256": "", "dataset": 3}'],
)
def test_a_damaged_file_is_named(model, text):
    path = thresholds.place_beside(model)
    path.write_text(text)
    with pytest.raises(InputError, match=r"model\.keras\.thresholds\.json is damaged"):
        thresholds.of_model(model)


def test_a_point_without_a_number_is_damage(model, written):
    path = thresholds.place_beside(model)
    content = json.loads(path.read_text())
    content["points"]["0.1"] = {"threshold": "high"}
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="damaged"):
        thresholds.of_model(model)


def test_a_later_format_is_refused(model, written):
    path = thresholds.place_beside(model)
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(InputError, match="format 2"):
        thresholds.of_model(model)
