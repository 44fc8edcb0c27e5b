"""The learning rate by step against closed forms, and the plateau's course by epoch."""

import math

import numpy as np
import pytest

from facenet_tf.training.config import Stage
from facenet_tf.training.descent import RateDrop
from facenet_tf.training.schedules import Plateau, build_schedule

PER_EPOCH = 5


def make_stage(**changes) -> Stage:
    return Stage("triplet", epochs=10, learning_rate=0.2, mining="batch_hard", **changes)


def rates(stage, steps=51, plateau=None) -> np.ndarray:
    schedule = build_schedule(stage, PER_EPOCH, plateau)
    return np.array([float(schedule(step)) for step in range(steps)])


def test_warm_up_then_cosine():
    rate = rates(make_stage(warmup_epochs=2))
    np.testing.assert_allclose(rate[:11], np.linspace(0, 0.2, 11), atol=1e-7)
    expected = 0.1 * (1 + np.cos(math.pi * np.arange(41) / 40))
    np.testing.assert_allclose(rate[10:], expected, atol=1e-6)


def test_no_warm_up_starts_at_the_peak():
    rate = rates(make_stage(warmup_epochs=0))
    assert rate[0] == pytest.approx(0.2)
    assert rate[50] == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("warmup", [0, 1])
def test_a_constant_rate_stays(warmup):
    rate = rates(make_stage(schedule="constant", warmup_epochs=warmup))
    np.testing.assert_allclose(rate[PER_EPOCH * warmup :], 0.2, rtol=1e-6)


def test_a_warm_up_longer_than_the_stage_leaves_half_of_it_and_says_so(caplog):
    assert rates(make_stage(warmup_epochs=90))[25] == pytest.approx(0.2)
    assert "warm-up of 90 epochs does not fit" in caplog.text


@pytest.mark.parametrize("warmup", [0, 2])
def test_steps_lower_the_rate_after_their_epochs(warmup):
    drop = RateDrop(epochs=(3, 4.4, 8), factor=0.3)
    rate = rates(make_stage(schedule="step", warmup_epochs=warmup, drop=drop))
    step = np.arange(51)
    behind = (step >= 15).astype(int) + (step >= 22) + (step >= 40)
    warm = np.minimum(step / (PER_EPOCH * warmup), 1) if warmup else 1
    np.testing.assert_allclose(rate, 0.2 * warm * 0.3**behind, rtol=1e-5, atol=1e-8)


def test_a_step_is_to_a_tenth_unless_told():
    rate = rates(make_stage(schedule="step", warmup_epochs=0, drop=RateDrop(epochs=(1,))))
    np.testing.assert_allclose(rate[[4, 5]], [0.2, 0.02], rtol=1e-6)


def course(plateau, figures) -> list[float]:
    """The plateau's factor after each epoch."""
    factors = []
    for epoch, figure in enumerate(figures):
        assert plateau.at_epoch_end(epoch, {"val_auc": figure, "loss": 1.0}) is False
        factors.append(float(plateau.factor))
    return factors


FIGURES = [0.5, 0.4, 0.5, 0.6, 0.6, 0.1, 0.6, 0.59, 0.7, 0.1]
# The 0.5 of the third epoch and the 0.6 that follow are no better; two such halve the rate.
FACTORS = [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125]


def test_a_plateau_halves_the_rate():
    assert course(Plateau(0.5, 2), FIGURES) == FACTORS


@pytest.mark.parametrize("after", range(1, len(FIGURES)))
def test_a_plateau_goes_on_from_its_state(after):
    first, second = Plateau(0.5, 2), Plateau(0.5, 2)
    course(first, FIGURES[:after])
    second.restore(first.state())
    assert float(second.factor) == FACTORS[after - 1]
    assert course(second, FIGURES[after:]) == FACTORS[after:]


def test_the_rate_follows_the_plateau():
    stage = make_stage(schedule="plateau", warmup_epochs=2, drop=RateDrop(patience=1))
    plateau = Plateau.of(stage)
    before = rates(stage, plateau=plateau)
    np.testing.assert_allclose(before[:11], np.linspace(0, 0.2, 11), atol=1e-7)
    np.testing.assert_allclose(before[10:], 0.2, rtol=1e-6)
    course(plateau, [0.5, 0.5])
    np.testing.assert_allclose(rates(stage, plateau=plateau), before / 2, rtol=1e-6)


def test_only_a_plateau_has_one():
    assert Plateau.of(make_stage()) is None
    waiting = Plateau.of(make_stage(schedule="plateau"))
    assert (waiting.drop, waiting.patience) == (0.5, 3)
