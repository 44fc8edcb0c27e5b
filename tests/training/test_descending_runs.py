"""Runs that descend in other ways: averaged, on a plateau, by chunks, in float16, fine-tuned."""

import csv
import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.seen import seen_people
from facenet_tf.training import progress
from facenet_tf.training.checkpoints import Checkpointing
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.descent import Descent, RateDrop
from facenet_tf.training.fine_tuning import FineTuning
from facenet_tf.training.fit import train
from facenet_tf.training.run_directory import RunDirectory
from tests.training.small import FEATURES, KERAS_3, small_body

SMALL = {"identities_per_batch": 2, "images_per_identity": 2, "warmup_epochs": 0}


@pytest.fixture(autouse=True)
def quick(small_bodies, monkeypatch):
    """A small body, and no pictures for TensorBoard."""
    monkeypatch.setattr(progress, "TensorBoardLog", lambda *_: keras.callbacks.Callback())


def make_config(dataset, output, *, stage=None, **changes) -> TrainConfig:
    defaults = TrainConfig(
        dataset=dataset.directory,
        output=output,
        embedding_size=FEATURES,
        steps_per_epoch=2,
        jit="off",
        warm_up=Stage("cosface", epochs=0),
        main=Stage("cosface", **{"epochs": 4, "learning_rate": 0.01, **SMALL, **(stage or {})}),
    )
    return dataclasses.replace(defaults, **changes)


def column(run, name) -> list[float]:
    with (run / "history.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def stored(run) -> dict[str, np.ndarray]:
    """Arrays of the newest checkpoint by name."""
    newest = max((run / "checkpoints").iterdir())
    reader = tf.train.load_checkpoint(str(newest / "variables"))
    found = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


def kernel_of(model) -> np.ndarray:
    return model.get_layer("bottleneck").get_weights()[0]


def interrupt_after(monkeypatch, saves):
    """Stop as Ctrl-C does, after so many checkpoints."""
    real, done = progress.Keeper.save, []

    def save(self, *arguments):
        real(self, *arguments)
        done.append(True)
        if len(done) == saves:
            raise KeyboardInterrupt

    monkeypatch.setattr(progress.Keeper, "save", save)


def test_validation_and_the_model_are_of_the_average_and_training_is_not(
    dataset, tmp_path, monkeypatch
):
    measured = []

    def measure(self, embedder):
        measured.append(kernel_of(embedder.model))
        return {"val_auc": len(measured) / 100}

    monkeypatch.setattr(progress.ValidationPeople, "measure", measure)
    config = make_config(dataset, tmp_path / "run", descent=Descent(ema=0.8))
    train(config)
    kept = kernel_of(keras.saving.load_model(config.output / "model.keras"))
    np.testing.assert_array_equal(kept, measured[-1])
    alike = {
        name: np.array_equal(value, kept)
        for name, value in stored(config.output).items()
        if value.shape == kept.shape and value.dtype == kept.dtype
    }
    (average,) = (name for name, equal in alike.items() if equal)
    assert average.startswith("optimizer")
    assert len(alike) > 1  # the weights themselves


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_average_and_plateau_go_on_after_an_interruption(dataset, tmp_path, monkeypatch, precision):
    monkeypatch.setattr(
        progress.ValidationPeople, "measure", lambda self, embedder: {"val_auc": 0.5}
    )
    stage = {"epochs": 5, "scale": 4.0, "schedule": "plateau", "drop": RateDrop(patience=1)}
    options = {"stage": stage, "descent": Descent(ema=0.9), "precision": precision}
    whole = make_config(dataset, tmp_path / "whole", **options)
    train(whole)
    broken = make_config(dataset, tmp_path / "broken", **options)
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        interrupt_after(patch, saves=4)  # the beginning and three epochs
        train(broken)
    assert train(dataclasses.replace(broken, resume=True)).epochs == 5
    expected = [0.01, 0.01, 0.005, 0.0025, 0.00125]
    for run in (whole.output, broken.output):
        # What is reported at the end of an epoch is the rate that its steps had.
        np.testing.assert_allclose(column(run, "learning_rate"), expected, rtol=1e-4)
    mine, theirs = stored(broken.output), stored(whole.output)
    assert mine.keys() == theirs.keys()
    for name, value in theirs.items():
        scale = np.abs(value).max() + 1e-6
        np.testing.assert_allclose(mine[name] / scale, value / scale, atol=0.02, err_msg=name)


def test_steps_at_once_are_the_same_steps(dataset, tmp_path):
    runs = [
        make_config(
            dataset,
            tmp_path / str(together),
            steps_per_epoch=4,
            steps_per_execution=together,
            stage={"epochs": 2},
        )
        for together in (1, 2)
    ]
    for config in runs:
        assert train(config).epochs == 2
    one, two = (column(config.output, "loss") for config in runs)
    np.testing.assert_allclose(two, one, rtol=1e-3)
    assert all(column(runs[1].output, "images_per_second"))


def test_steps_at_once_begin_and_end_at_a_checkpoint(dataset, tmp_path, monkeypatch):
    """A run may go on with more of them than it began with, where one of them begins."""
    config = make_config(
        dataset, tmp_path / "run", steps_per_epoch=4, checkpoint=Checkpointing(steps=2)
    )
    with monkeypatch.context() as patch, pytest.raises(Interrupted, match=r"\(step 6\)"):
        interrupt_after(patch, saves=4)  # steps 0, 2, 4, 6
        train(config)
    with pytest.raises(InputError, match="--steps-per-execution 4: the run goes on from step 6"):
        train(dataclasses.replace(config, resume=True, steps_per_execution=4))
    recorded = json.loads((config.output / "config.json").read_text())
    assert recorded["config"]["steps_per_execution"] == 1
    assert train(dataclasses.replace(config, resume=True, steps_per_execution=2)).epochs == 4
    assert len(column(config.output, "loss")) == 4
    recorded = json.loads((config.output / "config.json").read_text())
    assert recorded["config"]["steps_per_execution"] == 2
    options = [sitting["options"] for sitting in recorded["sittings"]]
    assert [each["steps_per_execution"] for each in options] == [1, 2]


@pytest.mark.parametrize("changed", [False, True])
def test_other_pictures_in_validation_are_warned_of(
    dataset, tmp_path, monkeypatch, caplog, changed
):
    """Another version may measure others; then the best figure so far is of those."""
    config = make_config(dataset, tmp_path / "run", steps_per_epoch=2, stage={"epochs": 2})
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        interrupt_after(patch, saves=2)
        train(config)
    run = RunDirectory(config.output)
    if changed:
        run.record(validation=run.recorded("validation") | {"images": 7})
    caplog.clear()
    train(dataclasses.replace(config, resume=True))
    assert ("was validated on other pictures before ({" in caplog.text) is changed


def test_an_epoch_that_nobody_gave_a_length_keeps_it(dataset, tmp_path, monkeypatch):
    config = make_config(dataset, tmp_path / "run", steps_per_epoch=0, stage={"epochs": 1})
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        interrupt_after(patch, saves=1)
        train(config)
    resumed = dataclasses.replace(config, resume=True)
    with pytest.raises(InputError, match="--steps-per-execution 3: it does not divide the 20 step"):
        train(dataclasses.replace(resumed, steps_per_execution=3))
    assert train(dataclasses.replace(resumed, steps_per_execution=4)).epochs == 1


def test_chunks_and_float16_and_another_optimiser(dataset, tmp_path):
    config = make_config(
        dataset,
        tmp_path / "run",
        chunk=2,
        precision="mixed_float16",
        optimizer="sgd",
        clip_norm=1.0,
        descent=Descent(nesterov=True, clip_by="variable"),
        steps_per_epoch=6,
        stage={"epochs": 2, "scale": 4.0, "schedule": "step", "drop": RateDrop(epochs=(1,))},
    )
    train(config)
    assert all(np.isfinite(column(config.output, "loss")))
    # From 2^15 the loss scale comes down by overflows, one more on Keras 2.
    assert column(config.output, "skipped_steps")[-1] <= 1
    # Reported at the end of an epoch: Keras 2 has the last step's rate, Keras 3 the next one's.
    assert column(config.output, "learning_rate")[-1] == pytest.approx(0.001)


def test_a_run_starts_from_another_and_keeps_what_is_frozen(dataset, tmp_path):
    first = make_config(dataset, tmp_path / "first", stage={"epochs": 1})
    train(first)
    people = json.loads((first.output / "config.json").read_text())
    people["dataset"]["seen_people"] += ["Somebody Else", "A Chooser"]
    people["dataset"]["steering_people"].append("A Chooser")
    # Who steers now, but was trained on then, was trained on.
    moved = people["dataset"]["steering_people"].pop(0)
    (first.output / "config.json").write_text(json.dumps(people))
    tuning = FineTuning(
        init=str(first.output), freeze=("conv", "norm"), layer_rates={"bottle*": 0.01}
    )
    second = make_config(dataset, tmp_path / "second", fine_tuning=tuning, stage={"epochs": 1})
    train(second)
    recorded = json.loads((second.output / "config.json").read_text())["dataset"]
    seen, steering = recorded["seen_people"], recorded["steering_people"]
    assert {"Somebody Else", "A Chooser", moved} <= set(seen) and len(seen) == 7
    assert set(steering) == set(people["dataset"]["steering_people"])
    assert "A Chooser" in steering and moved not in steering
    before, after = (
        keras.saving.load_model(config.output / "model.keras") for config in (first, second)
    )
    fresh = small_body(norm=True, crops=dataset.preprocessing)
    moved = {
        name: [np.abs(new - old).max() for new, old in zip(*pair, strict=True)]
        for name in ("conv", "norm", "bottleneck")
        for pair in [(model.get_layer(name).get_weights() for model in (after, before))]
    }
    assert moved["conv"] + moved["norm"] == [0.0] * 6
    # Two steps of a hundredth of 0.01, where the first run took two of 0.01.
    way = np.abs(kernel_of(before) - kernel_of(fresh)).max()
    assert 0 < moved["bottleneck"][0] < 0.05 * way


def test_a_run_that_begins_with_weights_of_others_says_so(dataset, tmp_path):
    small_body(norm=True, crops=dataset.preprocessing).save(tmp_path / "theirs.keras")
    tuning = FineTuning(init=str(tmp_path / "theirs.keras"))
    config = make_config(dataset, tmp_path / "run", fine_tuning=tuning, stage={"epochs": 1})
    train(dataclasses.replace(config, model=None))
    recorded = json.loads((config.output / "config.json").read_text())
    assert recorded["config"]["model"] == "small"
    assert recorded["dataset"]["seen_before"] == "theirs.keras"
    assert recorded["init"]["source"] == str(tmp_path / "theirs.keras")
    assert len(recorded["init"]["sha256"]) == 64
    (tmp_path / "theirs.keras").unlink()
    assert train(dataclasses.replace(config, model=None, resume=True)).epochs == 1
    seen = seen_people(recorded, dataset, Roster.of(dataset))
    assert seen.names and seen.before == "unknown"


def test_a_body_may_be_frozen_whole_where_the_head_learns(dataset, tmp_path):
    config = make_config(
        dataset, tmp_path / "run", stage={"epochs": 1}, fine_tuning=FineTuning(freeze=("*",))
    )
    assert train(config).epochs == 1


@pytest.mark.parametrize(
    ("stage", "changes", "message"),
    [
        (
            {"loss": "triplet/batch_hard"},
            {"fine_tuning": FineTuning(freeze=("*",))},
            "--freeze: nothing is left that triplet/batch_hard could teach",
        ),
        ({}, {"fine_tuning": FineTuning(freeze=("stem9",))}, "--freeze stem9: no layer"),
        ({}, {"fine_tuning": FineTuning(layer_rates={"stem9": 0.1})}, "--layer-rates stem9"),
        ({"images_per_identity": 7}, {"chunk": 6}, "--chunk 6: a batch of 14"),
        ({}, {"descent": Descent(ema=2.0)}, "--descent.ema"),
    ],
)
def test_what_cannot_be_is_refused_before_an_earlier_run_is_touched(
    dataset, tmp_path, stage, changes, message
):
    output = tmp_path / "run"
    loss = stage.pop("loss", "cosface")
    config = make_config(dataset, output, stage=stage, **changes)
    config = dataclasses.replace(config, main=dataclasses.replace(config.main, loss=loss))
    with pytest.raises(InputError) as refusal:
        train(config)
    assert message in str(refusal.value)
    assert not output.exists()


def test_weights_of_a_run_that_does_not_say_whom_it_saw_are_refused(dataset, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "model.keras").write_bytes(b"not a model")
    tuning = FineTuning(init=str(tmp_path / "old"))
    with pytest.raises(InputError, match=r"old.model\.keras cannot be loaded"):
        train(make_config(dataset, tmp_path / "run", fine_tuning=tuning))
    small = make_config(dataset, tmp_path / "first", stage={"epochs": 1})
    train(small)
    (small.output / "config.json").unlink()
    tuning = FineTuning(init=str(small.output))
    with pytest.raises(InputError, match=r"--init .*does not say whom"):
        train(make_config(dataset, tmp_path / "run", fine_tuning=tuning))


def test_a_plateau_wants_validation_people(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(progress.ValidationPeople, "of", lambda *_: None)
    with pytest.raises(InputError, match=r"schedule plateau: .* no validation people"):
        train(make_config(dataset, tmp_path / "run", stage={"schedule": "plateau"}))


@pytest.mark.skipif(KERAS_3, reason="Keras 3 has it")
def test_lamb_on_keras_2_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="--optimizer lamb: Keras 2"):
        train(TrainConfig(dataset=tmp_path / "nowhere", optimizer="lamb"))
