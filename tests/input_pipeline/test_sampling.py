"""The options of sampling, and how P and K change over a stage."""

from __future__ import annotations

import pytest

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.sampling import Sampling


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hard": 1.0}, "--main.sampling.hard 1.0: give"),
        ({"hard": -0.1}, "--main.sampling.hard -0.1"),
        ({"hard": float("nan")}, "--main.sampling.hard nan"),
        ({"doublings": -1}, "--main.sampling.doublings -1: give 0"),
        ({"doublings": 4}, "--main.sampling.doublings 4: 24 identities .* multiple of 16"),
    ],
)
def test_what_makes_no_sense_is_named(options, message) -> None:
    sampling = Sampling(**options)
    with pytest.raises(InputError, match=message):
        sampling.check("main.sampling.", 24)


def test_two_people_at_least_are_left() -> None:
    Sampling(doublings=2).check("", 8)
    with pytest.raises(InputError, match="doublings 3"):
        Sampling(doublings=3).check("", 8)


def test_the_defaults_change_nothing() -> None:
    sampling = Sampling()
    sampling.check("", 3)
    assert {sampling.shape(16, 4, epoch, 10) for epoch in range(10)} == {(16, 4)}
    assert sampling.people(13) == 13


@pytest.mark.parametrize("epochs", [3, 7, 10, 30])
def test_k_doubles_and_the_batch_keeps_its_size(epochs: int) -> None:
    sampling = Sampling(doublings=2)
    shapes = [sampling.shape(32, 2, epoch, epochs) for epoch in range(epochs)]
    assert sorted(set(shapes), key=shapes.index) == [(32, 2), (16, 4), (8, 8)]
    assert {p * k for p, k in shapes} == {64}
    lengths = [shapes.count(shape) for shape in dict.fromkeys(shapes)]
    assert max(lengths) - min(lengths) <= 1


def test_more_phases_than_epochs_leave_some_out() -> None:
    shapes = [Sampling(doublings=3).shape(32, 2, epoch, 2) for epoch in range(2)]
    assert shapes == [(32, 2), (8, 8)]


def test_fewer_people_are_still_halved_exactly() -> None:
    assert Sampling(doublings=2).people(13) == 12
