"""Stages fitted to a dataset: who is drawn, how many classes there are, and whose seeds."""

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.plan import plan_stages, training_records


class Records:
    """Labels and sources, as a dataset directory has them."""

    directory = "data/made_up"

    def __init__(self, pictures):
        self.labels = np.repeat(np.arange(len(pictures)), pictures)
        self.sources = np.arange(len(self.labels))


def plans(pictures, **stage):
    dataset = Records(pictures)
    stages = {
        "warm_up": Stage("cosface", 3, **stage),
        "main": Stage("triplet/batch_hard", 2, **stage),
    }
    return plan_stages(TrainConfig(**stages), dataset, np.arange(len(dataset.labels)))


def test_people_who_are_never_drawn_are_no_classes():
    alone, together = plans([3, 1, 2, 1]), plans([3, 1, 2, 1], include_singletons=True)
    assert [plan.classes for plan in alone] == [2, 2]
    assert alone[0].records.tolist() == [0, 1, 2, 4, 5]
    assert alone[0].sampling["singletons_left_out"] == 2
    assert [plan.classes for plan in together] == [4, 4]
    assert together[0].records.tolist() == list(range(7))


def test_stages_follow_each_other_and_share_no_seed():
    first, second = plans([4] * 20)
    assert (first.first, first.end, second.first, second.end) == (0, 3, 3, 5)
    assert first.seed != second.seed


def test_a_batch_holds_no_more_people_than_there_are():
    assert plans([4, 4, 4])[0].stage.identities_per_batch == 3
    assert plans([4] * 20)[0].stage.identities_per_batch == 16


def test_one_person_alone_is_refused():
    told = "two training people with two pictures each, there are 1 .2 have one, --warm-up.include"
    with pytest.raises(InputError, match=told):
        plans([5, 1, 1])


def test_people_with_a_single_picture_each_are_refused():
    with pytest.raises(InputError, match="nobody has two pictures, 3 have one: --include-sing"):
        plans([1, 1, 1])


def test_fewer_people_than_asked_for_can_still_be_halved():
    sampling = Sampling(doublings=2)
    assert plans([4] * 15, sampling=sampling)[0].stage.identities_per_batch == 12
    with pytest.raises(InputError, match=r"--warm-up\.sampling\.doublings 2: 4 identities"):
        plans([4] * 7, sampling=sampling)


def test_a_plan_knows_the_shape_of_each_epoch():
    first, second = plans([4] * 20, sampling=Sampling(doublings=1))
    assert [first.shape(epoch) for epoch in range(3)] == [(16, 4), (16, 4), (8, 8)]
    assert [second.shape(epoch) for epoch in range(2)] == [(16, 4), (8, 8)]


def test_a_plan_says_with_which_batches_it_trains():
    """Of fewer people than were asked for, and in phases."""
    first, second = plans([4] * 15, sampling=Sampling(doublings=1))
    batches = [
        {"first_epoch": 1, "identities_per_batch": 14, "images_per_identity": 4},
        {"first_epoch": 3, "identities_per_batch": 7, "images_per_identity": 8},
    ]
    assert first.describe() == {**first.sampling, "batches": batches}
    assert [each["first_epoch"] for each in second.describe()["batches"]] == [4, 5]


def test_pictures_drawn_are_those_of_the_epochs_so_far():
    first, second = plans([4] * 15, sampling=Sampling(doublings=1))
    drawn = [(first.drawn(epochs, 10), second.drawn(epochs, 10)) for epochs in range(7)]
    expected = [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (3, 2)]
    assert drawn == [(560 * one, 560 * two) for one, two in expected]


class Split(Records):
    """The same with all people in the training split."""

    def split(self, name):
        assert name == "train"
        return np.arange(len(self.labels))


def test_as_many_pictures_of_each_person_as_the_config_takes():
    dataset = Split([7, 2, 5])
    chosen = training_records(TrainConfig(pictures_per_person=3, seed=1), dataset)
    assert np.bincount(dataset.labels[chosen]).tolist() == [3, 2, 3]
    assert (np.diff(chosen) > 0).all()
    assert training_records(TrainConfig(), dataset).tolist() == list(range(14))


def test_the_seed_decides_which_pictures_and_more_hold_the_fewer():
    dataset = Split([40, 40])
    draws = {
        (seed, count): set(
            training_records(TrainConfig(pictures_per_person=count, seed=seed), dataset).tolist()
        )
        for seed in (0, 1)
        for count in (5, 20)
    }
    assert draws[0, 5] < draws[0, 20]
    assert draws[0, 5] != draws[1, 5]
