"""The grid rule against values that were computed independently of this project."""

import json
from pathlib import Path

import numpy as np
import pytest

from facenet_tf.metrics import folded_accuracy, grid_lfw, squared_distances

VECTORS = json.loads(
    (Path(__file__).parents[1] / "data" / "vectors.json").read_text(encoding="utf-8")
)["lfw"]


def conformance_pairs(spread):
    random = np.random.RandomState(7)
    anchor, noise, other = (random.randn(6000, 128) for _ in range(3))
    genuine = np.tile(np.repeat([True, False], 300), 10)
    partner = np.where(genuine[:, None], anchor + spread * noise, other)
    anchor, partner = (rows / np.linalg.norm(rows, axis=1)[:, None] for rows in (anchor, partner))
    return genuine, squared_distances(anchor, partner)


@pytest.mark.parametrize("spread", VECTORS)
def test_reproduces_the_conformance_values(spread):
    expected = VECTORS[spread]
    figures = grid_lfw(*conformance_pairs(float(spread)))
    np.testing.assert_allclose(figures.accuracy_per_fold, expected["per_fold"], atol=1e-9)
    for ours, theirs in {
        "accuracy_mean": "acc_mean",
        "accuracy_std": "acc_std_pop",
        "val_mean": "val@1e-3",
        "val_std": "val_std",
        "far_mean": "far",
        "best_accuracy": "in_sample_best_acc",
        "auc": "auc",
        "eer": "eer",
    }.items():
        assert getattr(figures, ours) == pytest.approx(expected[theirs], abs=1e-9), ours


def test_exact_thresholds_stay_within_the_known_difference():
    genuine, distance = conformance_pairs(3.5)
    exact = folded_accuracy(genuine, distance, np.repeat(np.arange(10), 600)).mean
    assert abs(exact - grid_lfw(genuine, distance).accuracy_mean) <= 0.002


def test_a_perfect_model_keeps_its_val():
    genuine = np.tile([True, True, False, False], 10)
    figures = grid_lfw(genuine, np.where(genuine, 0.2, 2.0))
    assert figures.val_mean == 1.0
    assert figures.accuracy_mean == 1.0
    assert figures.eer == 0.0


def test_all_distances_equal_is_chance():
    genuine = np.tile([True, False], 10)
    figures = grid_lfw(genuine, np.ones(20))
    assert figures.auc == 0.5
    assert figures.eer == 0.5


def test_pairs_must_divide_into_the_folds():
    with pytest.raises(ValueError, match="divide"):
        grid_lfw([True, False, True], [0.0, 1.0, 2.0])


def test_a_fold_of_one_kind_is_refused():
    with pytest.raises(ValueError, match="pair"):
        grid_lfw([True, True, False, False], [0.0, 1.0, 2.0, 3.0], folds=2)
