"""What a run leaves to be looked at: TensorBoard and history.csv say the same."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.fit import train
from facenet_tf.training.plot import PlotConfig, plot

from .test_profiler import traced_steps

TRAINING = {
    "loss",
    "active_triplets",
    "hardest_positive",
    "hardest_negative",
    "mean_distance",
    "effective_rank",
    "embedding_norm",
    "gradient_norm",
    "images_per_second",
    "learning_rate",
}
VALIDATION = {
    "val_auc",
    "val_auc_best",
    "val_eer",
    "val_tar",
    "val_rank1",
    "val_genuine_mean",
    "val_genuine_deviation",
    "val_impostor_mean",
    "val_impostor_deviation",
    "val_d_prime",
    "val_overlap",
    "val_effective_rank",
}


@pytest.fixture(scope="module")
def finished(small_bodies, dataset, tmp_path_factory):
    batch = {"identities_per_batch": 2, "images_per_identity": 2}
    config = TrainConfig(
        dataset=dataset.directory,
        output=tmp_path_factory.mktemp("runs") / "run",
        embedding_size=8,
        steps_per_epoch=6,
        profile=1,
        jit="off",  # quicker to begin
        warm_up=Stage("cosface", epochs=0),
        main=Stage("triplet/batch_hard", epochs=2, **batch),
    )
    train(config)
    return config


@pytest.fixture(scope="module")
def rows(finished):
    with (finished.output / "history.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def summaries(finished):
    """(tag, step) → array, of all event files."""
    return {
        (value.tag, event.step): tf.make_ndarray(value.tensor)
        for path in sorted((finished.output / "logs").glob("events.out.tfevents.*"))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }


def test_tensorboard_and_history_have_the_same_figures(rows, summaries):
    places = {"epoch", "stage", "step", "pictures", "seconds"}
    assert rows[0].keys() == places | TRAINING | VALIDATION
    for row in rows:
        for name in TRAINING | VALIDATION:
            side, short = ("validation", name[4:]) if name in VALIDATION else ("train", name)
            shown = float(summaries[f"{side}/{short}", int(row["epoch"])])
            assert float(row[name]) == pytest.approx(shown, rel=1e-4), name
        assert ("hardest_triplets", int(row["epoch"])) in summaries


def test_histograms_hold_every_pair(dataset, rows, summaries):
    labels = dataset.labels[dataset.split("validation")]
    same = (labels[:, None] == labels[None, :])[np.triu_indices(len(labels), k=1)]
    for row in rows:
        for kind, pairs in (("genuine", same.sum()), ("impostor", (~same).sum())):
            left, right, counts = summaries[f"validation/{kind}_distances", int(row["epoch"])].T
            assert counts.sum() == pairs
            assert (left[0], right[-1]) == (0, 4)
            mean = np.average((left + right) / 2, weights=counts)
            assert mean == pytest.approx(float(row[f"val_{kind}_mean"]), abs=0.025)


def test_the_table_of_people_is_of_the_model_that_is_kept(finished, rows, summaries):
    with (finished.output / "identity_errors.csv").open() as file:
        people = list(csv.DictReader(file))
    aucs = [float(row["val_auc"]) for row in rows]
    best = rows[int(np.argmax(aucs))]
    assert {person["epoch"] for person in people} == {best["epoch"]}
    images = sum(int(person["images"]) for person in people)
    errors = sum(int(person["rank1_errors"]) for person in people)
    assert 1 - errors / images == pytest.approx(float(best["val_rank1"]), abs=1e-5)
    pairs = sum(int(person["genuine_pairs"]) for person in people)
    rejected = sum(int(person["rejected_pairs"]) for person in people)
    assert 1 - rejected / pairs == pytest.approx(float(best["val_tar"]), abs=1e-5)
    shown = summaries["validation/identity_errors", int(best["epoch"])].item().decode()
    assert [person["identity"] in shown for person in people] == [True, True]


def test_the_trace_is_there_and_no_part_of_the_config(finished):
    assert traced_steps(finished.output / "logs") == [11]
    assert "profile" not in json.loads((finished.output / "config.json").read_text())["config"]
    assert train(dataclasses.replace(finished, profile=0, resume=True)).epochs == 2


def test_the_run_can_be_plotted(finished, rows, tmp_path):
    [run], figures = plot(PlotConfig((finished.output,), tmp_path / "run.png"))
    assert {"gradient_norm", "active_triplets", "val_d_prime"} <= set(figures)
    np.testing.assert_allclose(run.figures["loss"], [float(row["loss"]) for row in rows])
