"""The profiler's trace: which steps are in it, and what a stage that is too short says."""

import logging

import keras
import numpy as np
import pytest
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from facenet_tf.training.profiler import ProfilerTrace


def trained(directory, steps_of_epochs, traced, finished=9):
    """A tiny model, trained with a trace; of its epochs so many come to their end."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callback = ProfilerTrace(directory, traced)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, steps in enumerate(steps_of_epochs):
        callback.on_epoch_begin(epoch)
        for step in range(steps):
            callback.on_train_batch_begin(step)
            model.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
            callback.on_train_batch_end(step)
        if epoch < finished:
            callback.on_epoch_end(epoch)
    callback.on_train_end()


def traced_steps(directory):
    """Numbers of the steps that a trace has marks of."""
    [file] = directory.glob("plugins/profile/*/*.xplane.pb")
    found = set()
    for plane in xplane_pb2.XSpace.FromString(file.read_bytes()).planes:
        for event in (event for line in plane.lines for event in line.events):
            if plane.event_metadata[event.metadata_id].name == "train":
                found |= {
                    stat.int64_value
                    for stat in event.stats
                    if plane.stat_metadata[stat.metadata_id].name == "step_num"
                }
    return sorted(found)


@pytest.mark.parametrize(
    ("epochs", "steps", "expected"),
    [([14], 2, [11, 12]), ([6, 6, 6], 5, [11, 12]), ([11, 3], 1, [11]), ([11], 9, [11])],
    ids=["within an epoch", "to the end of its epoch", "one", "to the end of the stage"],
)
def test_traces_the_steps_after_the_warm_up(tmp_path, epochs, steps, expected, caplog):
    caplog.set_level(logging.INFO)
    trained(tmp_path, epochs, steps)
    assert traced_steps(tmp_path) == expected
    assert f"steps 11 to {expected[-1]} are in {tmp_path}" in caplog.text


def test_an_interrupted_epoch_has_its_trace(tmp_path):
    trained(tmp_path, [12], 5, finished=0)
    assert traced_steps(tmp_path) == [11, 12]


def test_a_stage_that_is_too_short_says_so(tmp_path, caplog):
    trained(tmp_path, [5, 5], 2)
    assert "no trace, the stage ended within 10 steps" in caplog.text
    assert list(tmp_path.iterdir()) == []
