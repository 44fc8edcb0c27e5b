"""Alarms, the best model, early stop, history, and epochs that are begun midway."""

import io
import math

import pytest

from facenet_tf.training import callbacks
from facenet_tf.training.callbacks import (
    EarlyStop,
    HealthGuard,
    History,
    ProgressBar,
    Throughput,
    TrainingStopped,
    Validation,
)
from facenet_tf.training.keeper import RunState
from facenet_tf.training.not_finite import NotFinite
from facenet_tf.training.run_directory import RunDirectory

HEALTHY = {"loss": 0.5, "mean_distance": 1.2, "effective_rank": 20.0}


class FakeModel:
    def __init__(self):
        self.saved = []
        self.stop_training = False
        self.embedding_model = self
        self.optimizer = self
        self.learning_rate = 0.25
        self.use_ema, self.weights_to_train = False, []

    def save(self, path):
        self.saved.append(path)
        path.write_text(str(len(self.saved)))


def never(epoch):
    """A stage whose loss says nothing about collapse."""


def attached(callback):
    callback.set_model(FakeModel())
    return callback


@pytest.mark.parametrize(
    ("figures", "name"),
    [
        ({"loss": math.nan, "gradient_norm": math.nan}, "loss"),
        ({"loss": math.inf}, "loss"),
        ({"loss": 1.0, "gradient_norm": math.inf}, "gradient_norm"),
    ],
)
def test_a_number_that_is_not_finite_is_found_at_its_step(figures, name):
    guard = HealthGuard(never)
    guard.on_epoch_begin(2)
    guard.on_train_batch_begin(4)
    guard.on_train_batch_end(7, {"loss": 3.0, "gradient_norm": 1e30})
    with pytest.raises(NotFinite) as found:
        guard.on_train_batch_end(7, figures)
    assert (found.value.epoch, found.value.first, found.value.last) == (2, 4, 7)
    assert found.value.name == name


def test_a_figure_that_is_not_there_is_not_taken_for_a_good_one():
    guard = HealthGuard(never)
    guard.on_epoch_begin(0)
    guard.on_train_batch_begin(0)
    with pytest.raises(KeyError, match="gradient_norm"):
        guard.on_train_batch_end(0, {"loss": 3.0})


@pytest.mark.parametrize(
    ("constant", "figures"),
    [
        (math.log(2), {"loss": 0.6932, "mean_distance": 0.05}),
        (0.2, {"loss": 0.2001, "mean_distance": 0.05}),
        (None, {"loss": 3.0, "mean_distance": 0.001}),
        (None, {"loss": 3.0, "mean_distance": 0.0, "effective_rank": 0.0}),
        (None, {"mean_distance": 0.0, "effective_rank": 0.0, "skipped_steps": 0.0}),
    ],
)
def test_collapse_stops_with_what_was_seen(constant, figures):
    with pytest.raises(TrainingStopped, match=r"collapsed: mean distance 0\.0.*--warm-up"):
        HealthGuard(lambda epoch: constant).on_epoch_end(0, HEALTHY | figures)


def test_an_epoch_of_nothing_but_overflows_is_no_collapse():
    none = {"loss": 0.0, "mean_distance": 0.0, "effective_rank": 0.0}
    HealthGuard(never).on_epoch_end(0, none | {"skipped_steps": 2.0})
    HealthGuard(never).on_epoch_end(0, HEALTHY | {"skipped_steps": 20.0})


def test_the_loss_of_a_collapse_is_that_of_the_epochs_batches():
    """As K grows, n_pairs falls."""
    guard = HealthGuard(lambda epoch: [2.08, 1.39][epoch])
    near = HEALTHY | {"loss": 1.39, "mean_distance": 0.05}
    guard.on_epoch_end(0, near)
    with pytest.raises(TrainingStopped, match="collapsed"):
        guard.on_epoch_end(1, near)


@pytest.mark.parametrize("figures", [{}, {"loss": 0.6931}, {"mean_distance": 0.05}])
def test_a_healthy_epoch_goes_on(figures):
    HealthGuard(lambda epoch: math.log(2)).on_epoch_end(0, HEALTHY | figures)


def test_the_better_model_by_validation_is_saved(tmp_path):
    figures = iter([0.6, 0.8, 0.7])
    run, state = RunDirectory(tmp_path), RunState()
    keep = attached(Validation(lambda: {"val_auc": next(figures)}, run, state))
    logs, saved = [{}, {}, {}], []
    for epoch in range(3):
        keep.on_epoch_end(epoch, logs[epoch])
        saved.append(run.candidate.read_text())
    assert saved == ["1", "2", "2"]
    assert (state.best, state.since_best) == (0.8, 1)
    assert [each["val_auc_best"] for each in logs] == [0.6, 0.8, 0.8]


def test_without_validation_people_every_model_is_saved(tmp_path):
    run = RunDirectory(tmp_path)
    keep = attached(Validation(None, run, RunState()))
    for epoch in range(2):
        keep.on_epoch_end(epoch, {})
    assert run.candidate.read_text() == "2"


def test_early_stop_counts_epochs_without_a_better_one(tmp_path):
    figures, state = iter([0.8, 0.7, 0.7, 0.9]), RunState()
    keep = attached(Validation(lambda: {"val_auc": next(figures)}, RunDirectory(tmp_path), state))
    stop = attached(EarlyStop(state, patience=2))
    stopped = []
    for epoch in range(3):
        keep.on_epoch_end(epoch, {})
        stop.on_epoch_end(epoch)
        stopped.append(stop.model.stop_training)
    assert stopped == [False, False, True]


def test_history_has_a_line_per_epoch():
    state = RunState()
    history = History(state, "cosface", 3, lambda epoch: {"step": 2e7 + epoch, "seconds": 0.5})
    for epoch in range(2):
        history.on_epoch_end(epoch, HEALTHY | {"loss": 0.5 + epoch})
    assert [(line["epoch"], line["loss"]) for line in state.history] == [("1", "0.5"), ("2", "1.5")]
    assert state.history[0]["stage"] == "cosface"
    assert [line["step"] for line in state.history] == ["20000000", "20000001"]
    assert state.history[1]["seconds"] == "0.5"


def test_speed_is_of_the_steps_that_were_taken(monkeypatch):
    """Half an epoch in two seconds, two steps at once."""
    now = iter([10.0, 12.0])
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: next(now))
    throughput, logs = attached(Throughput(images_per_step=6)), {}
    throughput.on_epoch_begin(3)
    for step in (4, 6):
        throughput.on_train_batch_begin(step)
        throughput.on_train_batch_end(step + 1)
    throughput.on_epoch_end(3, logs)
    assert logs == {"images_per_second": 12.0, "learning_rate": 0.25}


def test_a_sitting_that_begins_with_the_end_of_an_epoch_has_no_speed():
    throughput, logs = attached(Throughput(images_per_step=6)), {}
    throughput.on_epoch_begin(3)
    throughput.on_epoch_end(3, logs)
    assert logs == {"learning_rate": 0.25}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_is_for_terminals_alone(monkeypatch):
    for stderr, shown in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr("sys.stderr", stderr)
        bar = ProgressBar(steps=2)
        bar.on_epoch_begin(0)
        bar.on_train_batch_begin(0)
        bar.on_train_batch_end(1)
        bar.on_epoch_end(0)
        assert bool(stderr.getvalue()) is shown


def test_a_log_hears_now_and_then_how_far_an_epoch_is(monkeypatch, caplog):
    caplog.set_level("INFO")
    now = [1000.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    for stderr in (io.StringIO(), Terminal()):
        monkeypatch.setattr("sys.stderr", stderr)
        bar = ProgressBar(steps=9)
        bar.on_epoch_begin(2)
        for step, seconds in enumerate((200, 99, 2, 299, 1)):
            bar.on_train_batch_begin(step)
            now[0] += seconds
            bar.on_train_batch_end(step)
        bar.on_epoch_end(2)
    assert caplog.messages == ["epoch 3: step 3 of 9", "epoch 3: step 5 of 9"]


def test_the_bar_shows_where_the_epoch_is(monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    bar = ProgressBar(steps=8)
    bar.on_train_end()  # of a stage that was left before its first step
    bar.on_epoch_begin(0)
    bar.on_train_batch_begin(4)
    assert (bar.bar.n, bar.bar.total) == (4, 8)
    bar.on_train_batch_end(5)
    bar.on_train_batch_begin(6)
    bar.on_train_batch_end(7)
    assert bar.bar.n == 8
    bar.on_epoch_end(0)


def test_embeddings_that_are_not_finite_are_the_last_steps(tmp_path):
    def measure():
        raise FloatingPointError("validation embeddings")

    keep = attached(Validation(measure, RunDirectory(tmp_path), RunState()))
    keep.set_params({"steps": 7})
    with pytest.raises(NotFinite, match="validation embeddings") as found:
        keep.on_epoch_end(4, {})
    assert (found.value.epoch, found.value.first, found.value.last) == (4, 6, 6)
    assert "not finite after step 7 of epoch 5 (an earlier step may" in found.value.what
