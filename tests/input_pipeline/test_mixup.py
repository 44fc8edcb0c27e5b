"""MixUp: shares from the Beta distribution, pictures and labels by the same shares."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from facenet_tf.input_pipeline.mixup import mix

COUNT, SIDE = 400, 6


@pytest.fixture(scope="module")
def batch() -> tuple[np.ndarray, np.ndarray]:
    """Crops of one grey each, and labels that tell it."""
    greys = np.arange(COUNT) % 256
    crops = np.broadcast_to(greys[:, None, None, None], (COUNT, SIDE, SIDE, 3)).astype(np.uint8)
    return crops, greys.astype(np.int32)


def mixed(batch, alpha: float = 0.4, seed: int = 1, step: int = 2) -> dict[str, np.ndarray]:
    crops, labels = batch
    result = mix(tf.constant(crops), tf.constant(labels), alpha, seed, step)
    return {name: value.numpy() for name, value in result.items()}


def test_pictures_are_mixed_by_the_shares_of_their_labels(batch) -> None:
    crops, labels = batch
    result = mixed(batch)
    expected = result["share"] * labels + (1 - result["share"]) * result["other_label"]
    assert result["image"].dtype == np.uint8 and result["image"].shape == crops.shape
    np.testing.assert_allclose(result["image"][:, 2, 3, 1], expected, atol=0.51)
    assert (np.ptp(result["image"].reshape(COUNT, -1), axis=1) == 0).all()


def test_partners_are_a_permutation_of_the_batch(batch) -> None:
    result = mixed(batch)
    assert sorted(result["other_label"].tolist()) == sorted(batch[1].tolist())
    assert (result["other_label"] != batch[1]).mean() > 0.9
    assert result["other_label"].dtype == np.int32


@pytest.mark.parametrize("alpha", [0.2, 0.4, 1.0, 8.0])
def test_shares_are_the_larger_ones_of_a_beta_distribution(batch, alpha: float) -> None:
    shares = np.concatenate([mixed(batch, alpha, step=step)["share"] for step in range(5)])
    assert shares.min() >= 0.5 and shares.max() <= 1.0
    both = np.concatenate([shares, 1 - shares]).astype(np.float64)
    reference = stats.beta(alpha, alpha)
    for quantile in (0.6, 0.75, 0.9):
        assert (both <= reference.ppf(quantile)).mean() == pytest.approx(quantile, abs=0.03)


def test_keyed_by_seed_and_step_alone(batch) -> None:
    one = mixed(batch)
    for name, values in mixed(batch).items():
        np.testing.assert_array_equal(values, one[name])
    for other in (mixed(batch, seed=2), mixed(batch, step=3), mixed(batch, seed=2, step=1)):
        assert (other["share"] != one["share"]).any()
        assert (other["other_label"] != one["other_label"]).any()


def test_grey_crops_mix_too(batch) -> None:
    crops, labels = batch
    grey = mixed((crops[..., :1], labels))
    np.testing.assert_array_equal(grey["image"], mixed(batch)["image"][..., :1])
