"""What changes as an epoch ends: whom it confused, and the phase of P×K."""

import itertools

import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.training import distribute
from facenet_tf.training.config import Stage
from facenet_tf.training.heads import build_head
from facenet_tf.training.plan import StagePlan
from facenet_tf.training.sampling_state import SamplingState

ALONE = distribute.start("none", "off")


class OneOfTwo(distribute.Distribution):
    """A worker whose chief has found other partners: everybody's number less one."""

    def of_chief(self, numbers):
        return np.asarray(numbers, np.float64) - 1


def state_of(sampling, epochs=6, first_epoch=3, distribution=ALONE):
    stage = Stage("cosface", epochs, sampling=sampling)
    plan = StagePlan(2, stage, first_epoch, seed=0, records=np.arange(9), classes=5, sampling={})
    head = build_head(stage, 5, 4, seed=0)
    return head, SamplingState(plan, head, distribution)


def test_nothing_changes_by_default():
    _, state = state_of(Sampling())
    assert not any(state.at_epoch_end(epoch, {}) for epoch in range(3, 9))
    assert state.state() == {} and state.confused is None


def test_batches_are_drawn_anew_where_a_phase_begins():
    sampling = Sampling(doublings=2)
    _, state = state_of(sampling)
    changed = [state.at_epoch_end(epoch, {}) for epoch in range(3, 8)]
    shapes = [sampling.shape(16, 2, epoch, 6) for epoch in range(6)]
    assert changed == [one != other for one, other in itertools.pairwise(shapes)]
    assert sum(changed) == 2


def test_the_confused_are_found_and_survive_a_checkpoint():
    head, state = state_of(Sampling(hard=0.5))
    rows = np.eye(5, 4, dtype=np.float32)
    rows[4] = [0.9, 0.1, 0, 0]  # like the first
    head.signatures.assign(rows)
    assert state.at_epoch_end(3, {})
    assert state.confused[4, 0] == 0 and state.confused[0, 0] == 4
    _, other = state_of(Sampling(hard=0.5))
    other.restore(state.state())
    np.testing.assert_array_equal(other.confused, state.confused)
    head.signatures.assign(tf.zeros([5, 4]))
    np.testing.assert_array_equal(other.confused, state.confused)


def test_a_worker_draws_by_what_the_chief_found():
    head, own = state_of(Sampling(hard=0.5))
    two = OneOfTwo(ALONE.strategy, is_chief=False, workers=2)
    same_head, of_chief = state_of(Sampling(hard=0.5), distribution=two)
    rows = np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)
    for each in (head, same_head):
        each.signatures.assign(rows)
    own.at_epoch_end(3, {})
    of_chief.at_epoch_end(3, {})
    np.testing.assert_array_equal(of_chief.confused, own.confused - 1)
    assert of_chief.confused.dtype == own.confused.dtype == np.int32
