"""Models of this package: what does not load is told in one line."""

import zipfile

import keras
import pytest

from facenet_tf import models, pretrained
from facenet_tf.errors import InputError
from facenet_tf.pretrained.saved import load_saved


def test_a_run_directory_and_its_file_are_one_model(run, small_model):
    for source in (run, run / "model.keras", str(run)):
        model = pretrained.load(source)
        assert models.preprocessing_of(model) == models.preprocessing_of(small_model)
        for found, saved in zip(model.get_weights(), small_model.get_weights(), strict=True):
            assert (found == saved).all()


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"not a model")
    with pytest.raises(InputError, match=r"model\.keras cannot be loaded"):
        load_saved(tmp_path)


def test_versions_of_keras_are_named_where_a_model_does_not_load(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "2.99.0"}')
    with pytest.raises(InputError, match=r"written with Keras 2\.99\.0") as caught:
        load_saved(tmp_path)
    assert f"read with Keras {keras.__version__}" in str(caught.value)


def test_want_of_memory_is_not_blamed_on_the_model(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(keras.saving, "load_model", fail)
    with pytest.raises(MemoryError):
        load_saved(tmp_path)


def test_a_model_of_another_project_is_refused(tmp_path):
    pixels = keras.Input((8, 8, 3))
    keras.Model(pixels, keras.layers.Flatten()(pixels)).save(tmp_path / "model.keras")
    with pytest.raises(InputError, match=r"model.keras: model .* not built here"):
        load_saved(tmp_path)
