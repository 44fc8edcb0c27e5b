"""Runs whose batches change as an epoch ends: drawn as the state says, interrupted or not."""

import csv
import dataclasses
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import Interrupted
from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from facenet_tf.training import progress, stage_batches
from facenet_tf.training.callbacks import TrainingStopped
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.fit import train
from facenet_tf.training.heads import build_head
from facenet_tf.training.keeper import Keeper, RunState
from facenet_tf.training.plan import StagePlan
from facenet_tf.training.run_directory import RunDirectory

from ..conftest import SIDE, whole_picture_detector

STEPS = 3
pytestmark = pytest.mark.usefixtures("small_bodies")


@pytest.fixture(scope="module")
def dataset(pictures, tmp_path_factory):
    """Five people to train on: two batches of two, as K doubles."""
    config = BuildConfig(
        directory=pictures,
        output=tmp_path_factory.mktemp("dataset") / "five",
        recover=False,
        test_people=2,
        validation_people=2,
        preprocessing=Preprocessing(size=SIDE),
        workers=1,
    )
    return build_dataset(config, whole_picture_detector)


def config_of(dataset, output, **stage) -> TrainConfig:
    batch = {"identities_per_batch": 4, "images_per_identity": 1}
    return TrainConfig(
        dataset=dataset.directory,
        output=output,
        embedding_size=8,
        steps_per_epoch=STEPS,
        jit="off",  # quicker to begin
        warm_up=Stage("cosface", epochs=3, **batch | stage),
        main=Stage("triplet/batch_hard", epochs=0),
    )


@pytest.fixture
def seen(monkeypatch):
    """What the pipeline was asked for: (start step, P, K, confused, mixup)."""
    asked = []
    original = stage_batches.training_batches

    def noted(dataset, records, people, pictures, **options):
        if options["augmentation"].enabled:
            known = options["confused"]
            told = options["start_step"], people, pictures, known, options["mixup"]
            asked.append(told)
        return original(dataset, records, people, pictures, **options)

    monkeypatch.setattr(stage_batches, "training_batches", noted)
    return asked


def losses(run) -> list[str]:
    with (run / "history.csv").open() as file:
        return [row["loss"] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_k_grows_where_a_phase_begins(dataset, tmp_path, seen):
    train(config_of(dataset, tmp_path / "run", sampling=Sampling(doublings=1)))
    assert [told[:3] for told in seen] == [(0, 4, 1), (2 * STEPS, 2, 2)]
    assert len(losses(tmp_path / "run")) == 3


def test_collapse_is_told_by_the_batches_of_its_epoch(tmp_path):
    """n_pairs is ln P of equal embeddings; the stage is the run's second."""
    batch = {"identities_per_batch": 8, "images_per_identity": 2}
    stage = Stage("n_pairs", epochs=2, sampling=Sampling(doublings=1), **batch)
    plan = StagePlan(2, stage, 5, 0, np.arange(0), 8, {})
    config, run = TrainConfig(steps_per_epoch=STEPS), RunDirectory(tmp_path)
    nothing = dict.fromkeys(["people", "embedder", "_measure", "_so_far"])
    batches = SimpleNamespace(some_of=None)
    of_run = {"config": config, "run": run, "state": RunState(), "batches": batches}
    self = SimpleNamespace(**of_run, **nothing, plans=[plan], _epochs_behind=lambda: 5)
    found = progress.Progress._callbacks(self, plan, build_head(stage, 8, 4, seed=0))
    (guard,) = (each for each in found if isinstance(each, progress.happenings.HealthGuard))
    assert guard.collapsed_loss(5) == pytest.approx(np.log(8))
    assert guard.collapsed_loss(6) == pytest.approx(np.log(4))


def test_the_confused_of_an_epoch_are_drawn_in_the_next(dataset, tmp_path, seen):
    train(config_of(dataset, tmp_path / "run", sampling=Sampling(hard=0.5)))
    assert [told[0] for told in seen] == [0, STEPS, 2 * STEPS]
    first, second, third = (told[3] for told in seen)
    assert first is None
    assert (second >= 0).any() and second.shape == third.shape
    assert (second != third).any()


def test_the_pictures_of_a_spoilt_last_step_are_those_that_were_drawn(
    dataset, tmp_path, seen, monkeypatch
):
    """At the end of the epoch the confused change; its last batch was drawn by those before."""
    ended = progress.happenings.Throughput.on_epoch_end

    def spoil(self, epoch, logs=None):
        ended(self, epoch, logs)
        if epoch == 1:
            prototypes = self.model.head.prototypes[0]
            prototypes.assign(tf.fill(prototypes.shape, np.nan))

    monkeypatch.setattr(progress.happenings.Throughput, "on_epoch_end", spoil)
    named = []
    real = progress.StageBatches.plain

    def noted(self, step):
        named.append((step, self._sampling.confused))
        return real(self, step)

    monkeypatch.setattr(progress.StageBatches, "plain", noted)
    with pytest.raises(TrainingStopped, match=r"prototypes_0.* not finite after step 3 of epoch 2"):
        train(config_of(dataset, tmp_path / "run", sampling=Sampling(hard=0.5)))
    [(step, confused)] = named
    assert step == 2 * STEPS - 1
    np.testing.assert_array_equal(confused, seen[-1][3])


@pytest.mark.slow
def test_an_interrupted_run_goes_on_with_the_same_state(dataset, tmp_path, seen, monkeypatch):
    """Signatures in the middle of an epoch, the confused of its beginning: all of it is kept."""
    config = config_of(dataset, tmp_path / "whole", sampling=Sampling("sqrt", 0.5), mixup=0.3)
    train(config)
    whole = seen.copy()
    parts = dataclasses.replace(config, output=tmp_path / "parts")
    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "due", asked_to_stop_at(STEPS + 1))
        with pytest.raises(Interrupted):
            train(parts)
    seen.clear()
    train(dataclasses.replace(parts, resume=True))
    assert [told[0] for told in seen] == [STEPS + 2, 2 * STEPS]
    for found, expected in zip(seen, whole[1:], strict=True):
        np.testing.assert_array_equal(found[3], expected[3])
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


def asked_to_stop_at(step):
    """In place of `Keeper.due`: a signal comes, which is heeded a step later."""

    def due(keeper, done):
        if done == step:
            signal.raise_signal(signal.SIGTERM)
        return False

    return due
