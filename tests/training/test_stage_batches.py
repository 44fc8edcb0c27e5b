"""The batches of a stage: to its end, by the state of its sampling, and as they are."""

import dataclasses

import numpy as np
import pytest

from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.plan import plan_stages, training_records
from facenet_tf.training.stage_batches import StageBatches

STEPS, EPOCHS, BEFORE = 6, 2, 3


class State:
    """In place of a `SamplingState`."""

    confused = None


@pytest.fixture
def batches(dataset) -> StageBatches:
    stage = Stage(
        "cosface",
        EPOCHS,
        identities_per_batch=2,
        images_per_identity=2,
        sampling=Sampling(hard=0.5),
    )
    config = TrainConfig(steps_per_epoch=STEPS, warm_up=Stage("cosface", 0), main=stage)
    (plan,) = plan_stages(config, dataset, training_records(config, dataset))
    return StageBatches(config, dataset, dataclasses.replace(plan, first=BEFORE), State())


def test_they_begin_at_a_step_and_end_with_the_stage(batches):
    whole = list(batches.from_step(0).as_numpy_iterator())
    assert len(whole) == STEPS * EPOCHS
    later = list(batches.from_step(9).as_numpy_iterator())
    assert len(later) == len(whole) - 9
    for one, other in zip(later, whole[9:], strict=True):
        np.testing.assert_array_equal(one["image"], other["image"])


def test_a_plain_one_has_the_same_pictures_as_they_are(batches, dataset):
    varied = next(iter(batches.from_step(4).as_numpy_iterator()))
    plain = batches.plain(4)
    np.testing.assert_array_equal(plain["record"], varied["record"])
    assert (plain["image"] != varied["image"]).any()
    np.testing.assert_array_equal(plain["image"], batches.plain(4)["image"])


def test_some_of_an_epoch_are_its_first(batches):
    found = [batch["record"].tolist() for batch in batches.some_of(BEFORE + 1)]
    expected = [batches.plain(STEPS + step)["record"].tolist() for step in range(4)]
    assert found == expected


def test_the_state_is_looked_at_anew(batches):
    state = State()
    batches._sampling = state
    before = [batch["record"].tolist() for batch in batches.from_step(0).as_numpy_iterator()]
    state.confused = np.array([[1], [0], [1]])
    after = [batch["record"].tolist() for batch in batches.from_step(0).as_numpy_iterator()]
    assert before != after


def test_a_stage_has_its_share_of_the_augmentation(batches):
    whole = next(iter(batches.from_step(4).as_numpy_iterator()))["image"]
    stage = batches._plan.stage
    changed = {}
    for share in (0.0, 0.5, 1.0):
        plan = dataclasses.replace(
            batches._plan, stage=dataclasses.replace(stage, augmentation=share)
        )
        weaker = StageBatches(batches._config, batches._dataset, plan, State())
        changed[share] = next(iter(weaker.from_step(4).as_numpy_iterator()))["image"]
    np.testing.assert_array_equal(changed[1.0], whole)
    plain = batches.plain(4)["image"].astype(float)
    flipped = plain[:, :, ::-1]
    for crop, same, mirrored in zip(changed[0.0], plain, flipped, strict=True):
        assert (crop == same).all() or (crop == mirrored).all()
    assert (changed[0.5] != whole).any() and (changed[0.5] != changed[0.0]).any()
