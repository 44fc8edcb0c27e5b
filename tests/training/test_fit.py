"""A whole training run on a small dataset: what it leaves, resume, refusals, TensorBoard."""

import csv
import dataclasses
import errno
import functools
import itertools
import json
import logging
import random
import re
import signal
import time
import urllib.request
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard import program

from benchmarks import killed_training
from facenet_tf import models
from facenet_tf.errors import InputError, Interrupted
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.records import durable
from facenet_tf.training import heads, optimizer, progress
from facenet_tf.training.callbacks import TrainingStopped
from facenet_tf.training.checkpoints import Checkpointing, Checkpoints
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.fit import train
from facenet_tf.training.not_finite import Recovery
from facenet_tf.training.run_directory import RunDirectory
from tests.records.test_interruptions import Ended

pytestmark = pytest.mark.usefixtures("small_bodies")
NOTHING = Stage("triplet/batch_hard", epochs=0)


def make_config(dataset, output, **changes) -> TrainConfig:
    """Without XLA, which begins slowly; `finished` has it."""
    batch = {"identities_per_batch": 2, "images_per_identity": 3}
    defaults = TrainConfig(
        dataset=dataset.directory,
        output=output,
        embedding_size=8,
        steps_per_epoch=3,
        jit="off",
        warm_up=Stage("cosface", epochs=2, **batch),
        main=Stage("triplet/batch_hard", epochs=2, learning_rate=3e-4, **batch),
    )
    return dataclasses.replace(defaults, **changes)


def history(run) -> list[dict[str, str]]:
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Pictures for TensorBoard are drawn in `finished` alone, which comes before this."""
    monkeypatch.setattr(progress, "TensorBoardLog", lambda *_: keras.callbacks.Callback())


@pytest.fixture(scope="module")
def finished(small_bodies, dataset, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "run"
    return train(make_config(dataset, output, jit="loss")), output


def test_a_run_directory_is_complete(finished, dataset):
    result, run = finished
    assert result.epochs == 4
    assert 0 <= result.best_auc <= 1
    rows = history(run)
    assert [row["stage"] for row in rows] == ["cosface"] * 2 + ["triplet/batch_hard"] * 2
    for name in ("loss", "active_triplets", "mean_distance", "embedding_norm", "learning_rate"):
        assert all(np.isfinite(float(row[name])) for row in rows), name
    assert all(float(row["images_per_second"]) > 0 for row in rows)
    config = json.loads((run / "config.json").read_text())
    assert config["fingerprint"] == dataset.fingerprint
    assert config["jit"] == {"asked": "loss", "train_step": False, "loss": True}
    assert {"git_revision", "versions"} <= config.keys()
    assert len(config["dataset"]["seen_people"]) == 5
    validation = {dataset.class_names[row] for row in dataset.labels[dataset.split("validation")]}
    assert set(config["dataset"]["steering_people"]) == validation
    assert len(validation) == 2
    assert config["finished"]["epochs"] == 4
    assert config["validation"]["identities"] == 2
    batch = {"first_epoch": 3, "identities_per_batch": 2, "images_per_identity": 3}
    assert config["sampling_stage2"]["batches"] == [batch]
    assert [row["step"] for row in rows] == ["3", "6", "9", "12"]
    assert [row["pictures"] for row in rows] == ["18", "36", "54", "72"]
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds) and seconds[0] > 0
    assert config["config"]["warm_up"]["loss"] == "cosface"


def test_the_model_loads_in_safe_mode_and_knows_its_crops(finished, dataset):
    _, run = finished
    model = keras.saving.load_model(run / "model.keras", safe_mode=True)
    assert models.preprocessing_of(model) == dataset.preprocessing
    pixels = np.random.default_rng(0).integers(0, 255, (2, *model.input_shape[1:]))
    embeddings = model(pixels.astype(np.uint8)).numpy()
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


def test_the_loss_falls(dataset, tmp_path):
    batch = {"identities_per_batch": 5, "images_per_identity": 4}
    config = make_config(
        dataset,
        tmp_path / "run",
        steps_per_epoch=15,
        warm_up=Stage("cosface", epochs=4, learning_rate=5e-3, **batch),
        main=Stage("triplet/batch_hard", epochs=0),
    )
    train(config)
    losses = [float(row["loss"]) for row in history(config.output)]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    "mistake", [{"model": "nn9"}, {"augmentation": Augmentation(rotation=999)}, {"seed": -1}]
)
def test_a_refused_run_leaves_the_earlier_one_alone(finished, dataset, mistake):
    _, run = finished
    before = (run / "model.keras").read_bytes()
    with pytest.raises(InputError):
        train(make_config(dataset, run, overwrite=True, **mistake))
    assert (run / "model.keras").read_bytes() == before
    assert (run / "config.json").is_file()


def test_early_stop_has_its_own_count_and_survives_a_resume(dataset, tmp_path, monkeypatch):
    """The main stage climbs below the warm-up's best, and stops two epochs after its own."""
    aucs = iter([0.9, 0.5, 0.5, 0.5, 0.1, 0.2, 0.3, *[0.3] * 9])
    monkeypatch.setattr(
        progress.ValidationPeople, "measure", lambda self, embedder: {"val_auc": next(aucs)}
    )
    batch = {"identities_per_batch": 2, "images_per_identity": 2}
    config = make_config(
        dataset,
        tmp_path / "run",
        steps_per_epoch=1,
        early_stop_epochs=2,
        warm_up=Stage("cosface", epochs=4, **batch),
        main=Stage("triplet/batch_hard", epochs=7, **batch),
    )
    assert train(config).epochs == 9
    assert train(dataclasses.replace(config, resume=True)).epochs == 9


def test_a_damaged_record_is_the_users_line(dataset, tmp_path, monkeypatch):
    def damaged(self, records):
        raise InputError("shard-00000 is damaged at record 3: build the dataset again")

    monkeypatch.setattr(type(dataset), "read", damaged)
    config = make_config(dataset, tmp_path / "run")
    with pytest.raises(InputError, match=r"^shard-00000 is damaged at record 3"):
        train(config)


@pytest.mark.parametrize(
    ("error", "message", "becomes", "says"),
    [
        (tf.errors.ResourceExhaustedError, "OOM when allocating", InputError, "give --chunk 64"),
        (
            tf.errors.ResourceExhaustedError,
            "logs/events; No space left on device",
            Interrupted,
            "no room left",
        ),
        (tf.errors.InternalError, "Graph execution error:\n\nXLA broke", None, "XLA broke"),
    ],
)
def test_an_error_of_tensorflow_is_what_it_means(
    dataset, tmp_path, monkeypatch, error, message, becomes, says
):
    def fails(self, *_):
        raise error(None, None, message)

    monkeypatch.setattr(progress.Progress, "_train_stage", fails)
    with pytest.raises(becomes or error, match=says):
        train(make_config(dataset, tmp_path / "run"))


def take_steps(monkeypatch, config, steps):
    """Train until a signal comes after so many steps."""
    taken, real = itertools.count(1), progress.happenings.Throughput.on_train_batch_end

    def signalled(self, batch, logs=None):
        real(self, batch, logs)
        if next(taken) == steps:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(progress.happenings.Throughput, "on_train_batch_end", signalled)
        train(config)


def end_before_checkpoint(monkeypatch, config, step):
    """Train until a checkpoint is about to be written that is never written."""
    real = Checkpoints.write

    def ended(self, at, facts, fill):
        if at == step:
            raise Ended
        return real(self, at, facts, fill)

    with monkeypatch.context() as patch, pytest.raises(Ended):
        patch.setattr(Checkpoints, "write", ended)
        train(config)


def stop_while_checkpoint_is_written(monkeypatch, config, step):
    """Train until a signal comes while the checkpoint of a step is being written."""
    real = Checkpoints.write

    def signalled(self, at, facts, fill):
        if at == step:
            signal.raise_signal(signal.SIGTERM)
        return real(self, at, facts, fill)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "write", signalled)
        train(config)


def test_a_run_that_is_stopped_killed_and_damaged_ends_as_if_nothing_had_been(
    dataset, tmp_path, monkeypatch, caplog
):
    whole = make_config(dataset, tmp_path / "whole")
    train(whole)
    config = dataclasses.replace(whole, output=tmp_path / "run")
    run, resumed = RunDirectory(config.output), dataclasses.replace(config, resume=True)
    caplog.set_level(logging.INFO)
    with pytest.raises(Interrupted, match=r"^SIGTERM: stopped after step 1 of epoch 1 of 4 .*--re"):
        take_steps(monkeypatch, config, 1)
    assert "SIGTERM: writing a checkpoint; once more ends at once" in caplog.text
    end_before_checkpoint(monkeypatch, resumed, 6)
    # The second epoch's model is saved, but the run knows of the first epoch alone.
    assert len(history(run.path)) == 1
    newest = Checkpoints(run.checkpoints, 2).newest()
    assert newest.step == 3
    assert run.model.read_bytes() == (newest.directory / "model.keras").read_bytes()
    killed_training.damage(run.path, random.Random(0))
    with pytest.raises(Interrupted, match=r"^SIGTERM: stopped after epoch 2 of 4 \(step 6\)"):
        take_steps(monkeypatch, resumed, 5)
    assert "going back to the checkpoint of step 1" in caplog.text
    assert "resumed after step 1 of epoch 1" in caplog.text
    # It did not wait for the second epoch's validation, which the next sitting begins with.
    assert len(history(run.path)) == 1
    with pytest.raises(Interrupted, match=r"^SIGTERM: stopped after epoch 2 of 4 \(step 6\)"):
        stop_while_checkpoint_is_written(monkeypatch, resumed, 6)
    assert len(history(run.path)) == 2
    assert train(resumed).epochs == 4
    assert killed_training.outcome(run.path) == killed_training.outcome(whole.output)
    sittings = json.loads(run.config.read_text())["sittings"]
    assert [sitting["step"] for sitting in sittings] == [0, 1, 1, 6, 6]


def test_resuming_a_finished_run_changes_nothing(finished, dataset):
    _, run = finished
    before = (run / "history.csv").read_text()
    result = train(make_config(dataset, run, resume=True, jit="loss"))
    assert result.epochs == 4
    assert (run / "history.csv").read_text() == before
    [sitting] = json.loads((run / "config.json").read_text())["sittings"]
    assert sitting["step"] == 0


def test_a_run_that_another_process_trains_is_left_alone(finished, dataset):
    _, run = finished
    before = (run / "config.json").read_text()
    with (
        RunDirectory(run).locked(resume=False),
        pytest.raises(Interrupted, match="another training is at work there"),
    ):
        train(make_config(dataset, run, resume=True, jit="loss"))
    assert (run / "config.json").read_text() == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": "nn9"}, "--model nn9"),
        ({"model": "nn2", "width": 3}, "nn2 has no option 'width'"),
        ({"steps_per_epoch": -1}, "--steps-per-epoch"),
        ({"overwrite": True, "resume": True}, "exclude each other"),
        ({"warm_up": Stage("cosface", epochs=0), "main": Stage("cosface", epochs=0)}, "both 0"),
        ({"main": Stage("triplet/batch_hard", 1, images_per_identity=1)}, "images-per-identity"),
        ({"main": Stage("triplet/batch_hard", 1, learning_rate=0.0)}, "--main.learning-rate"),
        (
            {"main": Stage("triplet/batch_hard", 1, identities_per_batch=1)},
            "identities-per-batch",
        ),
        ({"warm_up": Stage("cosface", epochs=1, memory=-1)}, "--warm-up.memory"),
        ({"warm_up": Stage("cosface", epochs=1, augmentation=1.5)}, "--warm-up.augmentation 1.5"),
        ({"warm_up": Stage("arcface", epochs=1, margin=2.0)}, "--warm-up.loss arcface"),
        ({"loss": "quintuplet"}, "--main.loss quintuplet"),
        ({"loss": "cosface", "mining": "batch_hard"}, "--main.mining batch_hard"),
        ({"clip_norm": -1.0}, "--clip-norm"),
        ({"pictures_per_person": -1}, "--pictures-per-person"),
        ({"validation_pictures": 3}, "--validation-pictures 3: give 4 at least"),
        ({"degrade": ("grey", "blur")}, "--degrade blur"),
        ({"degrade": ("low_resolution:512",)}, "--degrade low_resolution:512"),
        ({"seed": -1}, "--seed"),
        ({"seed": 2**32}, "--seed"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(dataset, tmp_path, changes, named):
    with pytest.raises(InputError, match=re.escape(named)):
        train(make_config(dataset, tmp_path / "run", **changes))


def test_batches_shrink_to_the_people_there_are(dataset, tmp_path, caplog):
    stage = Stage("triplet/batch_hard", epochs=1, identities_per_batch=99, images_per_identity=2)
    config = make_config(
        dataset, tmp_path / "run", steps_per_epoch=1, warm_up=Stage("cosface", epochs=0), main=stage
    )
    assert train(config).epochs == 1
    assert "instead of 99" in caplog.text


def test_a_missing_dataset_is_named(dataset, tmp_path):
    config = make_config(dataset, tmp_path / "run")
    config = dataclasses.replace(config, dataset=tmp_path / "nowhere")
    with pytest.raises(InputError, match="nowhere"):
        train(config)


def noted_checkpoints(monkeypatch):
    """The steps that checkpoints are written of."""
    written, real = [], Checkpoints.write

    def write(self, step, *rest):
        written.append(step)
        return real(self, step, *rest)

    monkeypatch.setattr(Checkpoints, "write", write)
    return written


def spoil(monkeypatch, step, shown=None):
    """Let the loss of a step of each stage be NaN; returns the variable that decides it."""
    real, spoiled = heads.LossHead.objective, tf.Variable(float("nan"))

    def note(sources):
        shown.append(sources)
        return sources

    def objective(self, embeddings, norms, labels, sources, mixed=None):
        if shown is not None:
            sources = tf.ensure_shape(tf.numpy_function(note, [sources], tf.int32), sources.shape)
        loss, health = real(self, embeddings, norms, labels, sources, mixed)
        return tf.where(self.step == step, spoiled, 1.0) * loss, health

    monkeypatch.setattr(heads.LossHead, "objective", objective)
    return spoiled


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_pictures(
    dataset, tmp_path, monkeypatch
):
    shown = []
    spoil(monkeypatch, 5, shown)
    run = RunDirectory(tmp_path / "run")
    told = "nan at step 2 of epoch 2, after 1 rollbacks; its pictures are named in "
    with pytest.raises(TrainingStopped, match=re.escape(f"{told}{run.report_of(4)}")):
        train(make_config(dataset, run.path, recovery=Recovery(rollbacks=1)))
    report = json.loads(run.report_of(4).read_text())
    assert (report["stage"], report["epoch"], report["steps"][0]["stage_step"]) == (1, 2, 4)
    records = [picture["record"] for picture in report["steps"][0]["pictures"]]
    assert [*dataset.sources[records]] == [*shown[-1]]
    assert Checkpoints(run.checkpoints, 2).newest().step == 3


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_a_run_goes_back_and_on_with_a_lower_rate(
    dataset, tmp_path, monkeypatch, caplog, precision
):
    written = noted_checkpoints(monkeypatch)
    spoiled, real = spoil(monkeypatch, 5), progress.write_batches

    def mended(*arguments, **facts):
        real(*arguments, **facts)
        spoiled.assign(1.0)

    monkeypatch.setattr(progress, "write_batches", mended)
    # At the scale that Keras begins with some steps would overflow, and not count.
    low = functools.partial(keras.mixed_precision.LossScaleOptimizer, initial_scale=1.0)
    monkeypatch.setattr(optimizer, "with_loss_scaling", low)
    options = {"recovery": Recovery(rollbacks=1, rate=0.5), "checkpoint": Checkpointing(steps=2)}
    steady = {"schedule": "constant", "warmup_epochs": 0.0, "learning_rate": 1e-3}
    stage = Stage("cosface", 2, identities_per_batch=2, images_per_identity=3, **steady)
    options |= {"warm_up": stage, "main": NOTHING, "precision": precision}
    config = make_config(dataset, tmp_path / "run", **options)
    assert train(config).epochs == 2
    assert RunDirectory(config.output).report_of(4).exists()
    assert written == [0, 2, 3, 5, 6]
    assert "back to epoch 1 of 2 (step 3), learning rate times 0.5" in caplog.text
    recorded = json.loads((config.output / "config.json").read_text())["rollbacks"]
    assert recorded == [{"at": 4, "to": 3, "rate": 0.5}]
    assert [row["learning_rate"] for row in history(config.output)] == ["0.001", "0.0005"]


def test_a_signal_in_a_step_that_is_gone_back_from_ends_the_run_and_the_rollback_outlives_that(
    dataset, tmp_path, monkeypatch
):
    written, spoiled = noted_checkpoints(monkeypatch), spoil(monkeypatch, 5)
    stage = Stage("cosface", 2, identities_per_batch=2, images_per_identity=3, warmup_epochs=0)
    config = make_config(
        dataset,
        tmp_path / "run",
        warm_up=dataclasses.replace(stage, schedule="constant"),
        main=NOTHING,
        recovery=Recovery(rollbacks=1, rate=0.5),
    )
    with pytest.raises(Interrupted, match=r"^SIGTERM: stopped after epoch 1 of 2 \(step 3\)"):
        take_steps(monkeypatch, config, 5)
    assert written == [0, 3]
    spoiled.assign(1.0)
    train(dataclasses.replace(config, resume=True))
    assert [row["learning_rate"] for row in history(config.output)] == ["0.001", "0.0005"]


def test_an_epoch_whose_end_fails_after_a_signal_is_gone_back_behind(
    dataset, tmp_path, monkeypatch
):
    """The checkpoint of the signal would come to the same end again."""
    stage = Stage("cosface", 2, identities_per_batch=2, images_per_identity=3, warmup_epochs=0)
    options = {"recovery": Recovery(rollbacks=1, rate=0.5), "checkpoint": Checkpointing(steps=1)}
    config = make_config(dataset, tmp_path / "run", warm_up=stage, main=NOTHING, **options)
    with pytest.raises(Interrupted):
        take_steps(monkeypatch, config, 3)
    taken, after_step = [], progress.happenings.Throughput.on_train_batch_end
    measured = progress.ValidationPeople.measure

    def note(self, batch, logs=None):
        taken.append(batch)
        after_step(self, batch, logs)

    def measure(self, embedder):
        if not taken:
            raise FloatingPointError("validation embeddings")
        return measured(self, embedder)

    monkeypatch.setattr(progress.happenings.Throughput, "on_train_batch_end", note)
    monkeypatch.setattr(progress.ValidationPeople, "measure", measure)
    assert train(dataclasses.replace(config, resume=True)).epochs == 2
    rollbacks = json.loads((config.output / "config.json").read_text())["rollbacks"]
    assert [rollback["to"] for rollback in rollbacks] == [2]
    assert len(taken) == 4


def test_a_disk_that_is_still_full_can_be_waited_for(dataset, tmp_path, monkeypatch):
    config = make_config(dataset, tmp_path / "run")
    with pytest.raises(Interrupted):
        take_steps(monkeypatch, config, 1)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "write_json", full)
    with pytest.raises(Interrupted, match=r"no room left.*--resume"):
        train(dataclasses.replace(config, resume=True))
    with pytest.raises(InputError, match="No space left"):
        train(dataclasses.replace(config, overwrite=True))


def test_an_epoch_is_once_through_the_pictures_unless_told(dataset, tmp_path):
    pictures = len(dataset.split("train"))
    few = make_config(dataset, tmp_path, steps_per_epoch=0)
    stage = few.warm_up
    assert few.with_steps(pictures, stage).steps_per_epoch == 20
    assert few.with_steps(1000, stage).steps_per_epoch == 167  # batches of 6
    fewer_people = dataclasses.replace(stage, identities_per_batch=1)
    assert few.with_steps(1000, fewer_people).steps_per_epoch == 334
    assert make_config(dataset, tmp_path).with_steps(1000, stage).steps_per_epoch == 3


def test_a_run_is_named_after_its_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert TrainConfig(dataset=Path("data/mine/")).run_directory == Path("runs/mine")
    assert TrainConfig(dataset=Path(), output=Path("x")).run_directory == Path("x")


def test_collapse_ends_the_run_with_advice(dataset, tmp_path, monkeypatch):
    real = progress.happenings.HealthGuard.on_epoch_end

    def collapsed(self, epoch, logs=None):
        real(self, epoch, logs | {"mean_distance": 0.001})

    monkeypatch.setattr(progress.happenings.HealthGuard, "on_epoch_end", collapsed)
    with pytest.raises(TrainingStopped, match="collapsed"):
        train(make_config(dataset, tmp_path / "run"))


def test_tensorboard_serves_the_curves(finished):
    _, run = finished
    server = program.TensorBoard()
    options = ["--port", "0", "--load_fast", "false", "--reload_interval", "0"]
    server.configure(argv=["tensorboard", "--logdir", str(run), *options])
    address = server.launch()

    def answer(query):
        with urllib.request.urlopen(f"{address}data/plugin/{query}") as found:
            return json.load(found)

    for _ in range(60):
        try:
            points = answer("scalars/scalars?tag=train/loss&run=logs")
            break
        except urllib.error.HTTPError:
            time.sleep(0.5)
    projector_runs = answer("projector/runs")
    expected = [float(row["loss"]) for row in history(run)]
    np.testing.assert_allclose([value for _, _, value in points], expected, rtol=1e-4)
    assert projector_runs


def test_one_step_of_augmentation_off_and_bfloat16(dataset, tmp_path):
    config = make_config(
        dataset,
        tmp_path / "run",
        steps_per_epoch=1,
        warm_up=Stage("cosface", epochs=0),
        augmentation=Augmentation(enabled=False),
        precision="mixed_bfloat16",
    )
    assert train(config).epochs == 2
    assert keras.mixed_precision.global_policy().name == "float32"
