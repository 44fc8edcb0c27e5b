"""Threads and XLA of a deterministic run."""

import keras
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.records import durable
from facenet_tf.training import determinism
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.run_directory import RunDirectory


def test_other_runs_are_left_as_they_are(tmp_path):
    config = TrainConfig()
    assert determinism.settled(config, RunDirectory(tmp_path)) == config


def test_a_deterministic_run_has_a_number_of_threads_and_no_xla(tmp_path, caplog):
    caplog.set_level("INFO")
    config = determinism.settled(TrainConfig(deterministic=True), RunDirectory(tmp_path))
    assert config.threads >= 1
    assert config.jit == "off"
    assert "XLA is off" in caplog.text


def test_threads_that_are_asked_for_are_kept(tmp_path):
    config = TrainConfig(deterministic=True, threads=3)
    assert determinism.settled(config, RunDirectory(tmp_path)).threads == 3


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_that_is_resumed_keeps_its_threads(tmp_path, resume):
    run = RunDirectory(tmp_path)
    durable.write_json(run.config, {"config": {"threads": 12345}})
    config = TrainConfig(deterministic=True, resume=resume)
    assert (determinism.settled(config, run).threads == 12345) == resume


def test_threads_cannot_change_in_a_process_that_computes(monkeypatch):
    tf.constant(1.0) + 1.0
    with pytest.raises(InputError, match="--threads 54321: TensorFlow has begun"):
        determinism.set_up(TrainConfig(threads=54321))


def test_determinism_asks_tensorflow_for_it(monkeypatch):
    asked = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(True))
    determinism.set_up(TrainConfig())
    assert not asked
    determinism.set_up(TrainConfig(deterministic=True))
    assert asked


@pytest.mark.parametrize("version", ["2.15.0", "3.15.1"])
def test_random_numbers_that_no_checkpoint_holds_are_refused(monkeypatch, version):
    monkeypatch.setattr(keras, "__version__", version)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dropout(0.5)(inputs))
    determinism.check_model(TrainConfig(), model)
    if version.startswith("3"):
        determinism.check_model(TrainConfig(deterministic=True), model)
        return
    with pytest.raises(InputError, match=r"--deterministic: .* give --dropout 0"):
        determinism.check_model(TrainConfig(deterministic=True), model)
