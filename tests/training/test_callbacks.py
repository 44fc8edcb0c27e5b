"""Alarms, the best model, early stop and history."""

import csv
import math

import pytest

from facenet_tf.training.callbacks import (
    EarlyStop,
    HealthGuard,
    History,
    TrainingStopped,
    Validation,
    keep_history_until,
)
from facenet_tf.training.run_directory import RunDirectory

HEALTHY = {"loss": 0.5, "mean_distance": 1.2, "effective_rank": 20.0}


class FakeModel:
    def __init__(self):
        self.saved = []
        self.stop_training = False
        self.embedding_model = self

    def save(self, path):
        self.saved.append(path)
        path.write_text(str(len(self.saved)))


def attached(callback):
    callback.set_model(FakeModel())
    return callback


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_advice(loss):
    with pytest.raises(TrainingStopped, match=r"loss became .* at step 8 .*learning-rate"):
        HealthGuard(None).on_train_batch_end(7, {"loss": loss})


@pytest.mark.parametrize(
    ("constant", "figures"),
    [
        (math.log(2), {"loss": 0.6932, "mean_distance": 0.05}),
        (0.2, {"loss": 0.2001, "mean_distance": 0.05}),
        (None, {"loss": 3.0, "mean_distance": 0.001}),
    ],
)
def test_collapse_stops_with_what_was_seen(constant, figures):
    with pytest.raises(TrainingStopped, match=r"collapsed: mean distance 0\.0.*--warm-up"):
        HealthGuard(constant).on_epoch_end(0, HEALTHY | figures)


@pytest.mark.parametrize("figures", [{}, {"loss": 0.6931}, {"mean_distance": 0.05}])
def test_a_healthy_epoch_goes_on(figures):
    HealthGuard(math.log(2)).on_epoch_end(0, HEALTHY | figures)


def test_the_best_model_by_validation_is_kept(tmp_path):
    figures = iter([0.6, 0.8, 0.7])
    run = RunDirectory(tmp_path)
    keep = attached(Validation(lambda: {"val_auc": next(figures)}, run, -math.inf, 0))
    logs = [{}, {}, {}]
    for epoch in range(3):
        keep.on_epoch_end(epoch, logs[epoch])
    assert run.model.read_text() == "2"
    assert (keep.best, keep.epochs_since_best) == (0.8, 1)
    assert [each["val_auc_best"] for each in logs] == [0.6, 0.8, 0.8]


def test_without_validation_people_the_last_model_is_kept(tmp_path):
    run = RunDirectory(tmp_path)
    keep = attached(Validation(None, run, -math.inf, 0))
    for epoch in range(2):
        keep.on_epoch_end(epoch, {})
    assert run.model.read_text() == "2"


def test_early_stop_counts_epochs_without_a_better_one(tmp_path):
    figures = iter([0.8, 0.7, 0.7, 0.9])
    keep = attached(
        Validation(lambda: {"val_auc": next(figures)}, RunDirectory(tmp_path), -math.inf, 0)
    )
    stop = attached(EarlyStop(keep, patience=2))
    stopped = []
    for epoch in range(3):
        keep.on_epoch_end(epoch, {})
        stop.on_epoch_end(epoch)
        stopped.append(stop.model.stop_training)
    assert stopped == [False, False, True]


def test_history_has_a_line_per_epoch_and_forgets_what_is_repeated(tmp_path):
    path = tmp_path / "history.csv"
    history = History(path, "cosface", epochs=3)
    for epoch in range(3):
        history.on_epoch_end(epoch, HEALTHY | {"loss": 0.5 + epoch})
    keep_history_until(path, 2)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["loss"]) for row in rows] == [("1", "0.5"), ("2", "1.5")]
    assert rows[0]["stage"] == "cosface"
