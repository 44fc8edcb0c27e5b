"""Steps in Python run side by side under op determinism too, and the bits stay the same."""

import threading

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config as internal  # the public one cannot switch it off

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.in_python import in_python
from facenet_tf.input_pipeline.pipeline import evaluation_batches, training_batches

AT_ONCE = 2
ON = Augmentation(rotation=10.0, cutout=0.3)
DEGRADE = ("low_resolution:8",)


@pytest.fixture
def op_determinism():
    tf.config.experimental.enable_op_determinism()
    yield
    internal.disable_op_determinism()


class Meeting:
    """A dataset whose first readers wait for each other."""

    def __init__(self, dataset):
        self._dataset, self._barrier, self.met = dataset, threading.Barrier(AT_ONCE), False

    def __getattr__(self, name):
        return getattr(self._dataset, name)

    def read(self, records):
        if not self.met:
            try:
                self._barrier.wait(timeout=10.0)
                self.met = True
            except threading.BrokenBarrierError:
                pass
        return self._dataset.read(records)


def trained_on(dataset, mixup=0.0):
    records = np.arange(len(dataset.labels))
    return training_batches(dataset, records, 3, 2, 17, 0, 8, ON, mixup=mixup, degrade=DEGRADE)


def looked_at(dataset):
    return evaluation_batches(dataset, np.arange(40), 5, DEGRADE)


def bits(batches):
    return [
        [part.tobytes() for part in tf.nest.flatten(batch)] for batch in batches.as_numpy_iterator()
    ]


READERS = {"training": trained_on, "mixup": lambda of: trained_on(of, 0.4), "all": looked_at}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_batches_are_made_side_by_side(dataset, reader, op_determinism):
    meeting = Meeting(dataset)
    bits(reader(meeting))
    assert meeting.met


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_the_bits_are_those_of_any_order(dataset, reader, request):
    before = bits(reader(dataset))
    request.getfixturevalue("op_determinism")
    assert bits(reader(dataset)) == before


def test_two_calls_on_constants_stay_two():
    def drawn(number):
        return lambda first: first + np.float32(number)

    @tf.function
    def both():
        same = tf.constant(1.0)
        return [in_python(drawn(number), [same], tf.float32) for number in (1, 2)]

    assert [float(each) for each in both()] == [2.0, 3.0]
