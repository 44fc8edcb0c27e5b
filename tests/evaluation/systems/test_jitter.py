import numpy as np
import pytest

from facenet_tf.evaluation.systems import networks
from facenet_tf.evaluation.systems.jitter import STRENGTH, looks

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    coarse = RANDOM.integers(60, 200, (3, 8, 8, 3)).astype(np.uint8)
    return np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)


def test_every_second_one_is_mirrored(images):
    seen = list(looks(images, 6, seed=0))
    assert [view.shape for view in seen] == [images.shape] * 6
    assert all(view.dtype == np.uint8 for view in seen)
    for number, view in enumerate(seen):
        apart = [np.abs(view.astype(int) - each).mean() for each in (images, images[:, :, ::-1])]
        assert (apart[1] < apart[0]) == bool(number % 2)
        assert 0 < min(apart) < max(apart) / 2


def test_motions_are_those_of_the_seed_for_every_picture(images):
    first, other = (list(looks(images, 4, seed)) for seed in (1, 2))
    alone = list(looks(images[2:], 4, seed=1))
    np.testing.assert_array_equal([view[2] for view in first], [view[0] for view in alone])
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(list(looks(images, 2, seed=1)), first[:2])


def test_motions_stay_within_the_strength():
    side = 64
    y, x = np.mgrid[:side, :side]
    ramps = np.dstack([3 * x, 3 * y, 0 * x]).astype(np.uint8)[None]
    turn = np.radians(STRENGTH.rotation) + STRENGTH.scale / (1 - STRENGTH.scale)
    most = STRENGTH.translation * side + turn * side * np.sqrt(0.5)
    shifts = []
    for number, view in enumerate(looks(ramps, 40, seed=0)):
        upright = view[0, 8:-8, 8:-8, :2].astype(float)
        if number % 2:
            upright[..., 0] = 3 * (side - 1) - view[0, 8:-8, 8:-8, 0]
        moved = (upright - ramps[0, 8:-8, 8:-8, :2]) / 3
        assert np.abs(moved).max() < most + 1
        shifts.append(moved.mean((0, 1)))
    assert 0.3 < np.std(shifts) < STRENGTH.translation * side + 0.5


def test_grey_crops_stay_grey(images):
    grey = images[..., :1]
    views = list(looks(grey, 2, seed=0))
    assert views[0].shape == grey.shape
    rgb = list(looks(np.repeat(grey, 3, axis=-1), 2, seed=0))
    np.testing.assert_allclose(views[1][..., 0], rgb[1][..., 0], atol=1)


@pytest.mark.parametrize("flip_average", [False, True])
def test_embedding_is_the_unit_mean_of_the_looks(small_model, flip_average):
    images = RANDOM.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    views = list(looks(images, 3, seed=5))
    if flip_average:
        views += [view[:, :, ::-1] for view in views]
    mean = sum(small_model(view).numpy() for view in views)
    embed = networks.network_embedder(small_model, flip_average, jitter=3, seed=5)
    np.testing.assert_allclose(
        embed(images), mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-5
    )
