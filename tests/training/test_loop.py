"""The loop against Keras' own `fit`, and what `fit` cannot do: begin and end at any step."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.training.loop import Done, TrainingLoop


class Adder(keras.Model):
    """Its step appends a digit to a number, so that order, omissions and repeats show."""

    def __init__(self, steps_per_execution=1):
        super().__init__()
        self.number = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.mean = keras.metrics.Mean(name="mean")
        self.compile(steps_per_execution=steps_per_execution)
        self.built = True

    @property
    def metrics(self):
        return [self.mean]

    def call(self, inputs):
        return inputs

    def train_step(self, data):
        self.number.assign(10 * self.number + data)
        self.mean.update_state(data)
        return {"mean": self.mean.result()}


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def note(self, name, number=None, logs=None):
        self.calls.append((name, number, {key: float(logs[key]) for key in logs or {}}))

    def on_train_begin(self, logs=None):
        self.note("train begin", None, logs)

    def on_train_end(self, logs=None):
        self.note("train end")

    def on_epoch_begin(self, epoch, logs=None):
        self.note("epoch begin", epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self.note("epoch end", epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        self.note("batch begin", batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        self.note("batch end", batch, logs)


def digits(start):
    return tf.data.Dataset.range(start + 1, 10)


def loop(adder, **options):
    return TrainingLoop(adder, digits, **{"steps_per_epoch": 4, "epochs": 2, **options})


@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_the_loop_does_what_fit_does(steps_per_execution):
    fitted, theirs = Adder(steps_per_execution), Recorder()
    fitted.fit(digits(0), epochs=2, steps_per_epoch=4, verbose=0, callbacks=[theirs], shuffle=False)
    adder, ours = Adder(steps_per_execution), Recorder()
    done = [done.steps for done in loop(adder, callbacks=[ours]).steps(0) if not done.end_is_due]
    assert int(adder.number) == int(fitted.number) == 12345678
    assert ours.calls == theirs.calls
    assert done == [*range(steps_per_execution, 9, steps_per_execution)]


# All that a loop of two epochs of four steps yields, and before it where it begins.
ALL = [Done(0), *map(Done, (1, 2, 3)), Done(4, True), *map(Done, (4, 5, 6, 7)), Done(8, True)]
ALL += [Done(8)]


@pytest.mark.parametrize("stop", ALL)
def test_left_after_a_step_and_begun_there_it_is_as_if_it_had_gone_on(stop):
    adder, whole, begun, rest = Adder(), Recorder(), Recorder(), Recorder()
    [*loop(Adder(), callbacks=[whole]).steps(0)]
    if stop.steps:
        with contextlib.closing(loop(adder, callbacks=[begun]).steps(0)) as steps:
            for done in steps:
                if done == stop:
                    break
    assert int(adder.number) == int("012345678"[: stop.steps + 1])
    assert [*loop(adder, callbacks=[rest]).steps(*stop)] == ALL[ALL.index(stop) + 1 :]
    assert int(adder.number) == 12345678
    batches = [call for call in begun.calls + rest.calls if "batch" in call[0]]
    assert batches == [call for call in whole.calls if "batch" in call[0]]
    ends = [call for call in begun.calls + rest.calls if call[0] == "epoch end"]
    assert ends == [call for call in whole.calls if call[0] == "epoch end"]


def test_whoever_leaves_ends_the_training():
    recorder = Recorder()
    with contextlib.closing(loop(Adder(), callbacks=[recorder]).steps(0)) as steps:
        next(steps)
    assert recorder.calls[-1][0] == "train end"


def test_epochs_are_those_of_the_run():
    recorder = Recorder()
    [*loop(Adder(), callbacks=[recorder], first_epoch=7).steps(0)]
    assert [number for name, number, _ in recorder.calls if name == "epoch end"] == [7, 8]
    assert recorder.params["epochs"] == 9


class Stopper(keras.callbacks.Callback):
    def __init__(self, at_batch=None):
        super().__init__()
        self.at_batch = at_batch

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == self.at_batch

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = self.at_batch is None


def test_a_callback_ends_the_stage_after_its_epoch():
    adder = Adder()
    assert [*loop(adder, callbacks=[Stopper()]).steps(0)] == ALL[1:6]
    assert int(adder.number) == 1234


def test_a_callback_ends_the_stage_in_the_middle_of_an_epoch():
    adder, recorder = Adder(), Recorder()
    assert [*loop(adder, callbacks=[Stopper(at_batch=1), recorder]).steps(0)] == [Done(1)]
    assert int(adder.number) == 12
    assert "epoch end" not in [name for name, _, _ in recorder.calls]


class Shift:
    """Moves the digits of the epochs that follow."""

    name = "shift"

    def __init__(self):
        self.by, self.told = 0, []

    def at_epoch_end(self, epoch, logs):
        self.told.append((epoch, dict(logs)))
        self.by += 1
        return epoch == 0

    def state(self):
        return {"by": np.array(self.by)}

    def restore(self, state):
        self.by = int(state["by"])


class Measure(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["val_auc"] = 0.5


def test_a_state_learns_the_figures_of_an_epoch_and_the_batches_that_follow_know_it():
    shift, asked = Shift(), []

    def batches_from(step):
        asked.append(step)
        return tf.data.Dataset.range(step + 1 + shift.by, 20)

    adder = Adder()
    options = {"epochs": 3, "callbacks": [Measure()], "states": [shift], "steps_per_epoch": 2}
    [*TrainingLoop(adder, batches_from, **options).steps(0)]
    assert asked == [0, 2]  # the second end of an epoch changed no batch
    assert int(adder.number) == 124567
    assert shift.told[0] == (0, {"mean": 1.5, "val_auc": 0.5})


def test_what_takes_the_steps_can_be_another():
    taken = []
    adder = Adder()
    take = lambda batches: taken.append(int(next(batches))) or {"mean": 0.0}  # noqa: E731
    [*loop(adder, execute=take).steps(2)]
    assert taken == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(("start", "steps_per_epoch"), [(1, 4), (0, 3)])
def test_steps_are_taken_as_many_at_once_as_were_compiled(start, steps_per_epoch):
    with pytest.raises(ValueError, match="no multiple of the 2 steps per execution"):
        next(loop(Adder(2), steps_per_epoch=steps_per_epoch).steps(start))
