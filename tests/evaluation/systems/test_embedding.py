import dataclasses

import keras
import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.systems import embedding, networks
from facenet_tf.preprocessing import Preprocessing


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def test_other_preprocessing_is_refused_with_both_fingerprints(dataset, tmp_path):
    other = dataclasses.replace(dataset.preprocessing, normalization="per_image")
    pixels = keras.Input((32, 32, 3))
    x = models.PixelNormalization(other.to_dict())(pixels)
    keras.Model(pixels, keras.layers.Flatten()(x)).save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="normalization") as caught:
        networks.load_checked(tmp_path, dataset)
    for preprocessing in (other, dataset.preprocessing):
        assert preprocessing.fingerprint() in str(caught.value)


def test_model_of_somebody_else_is_refused(dataset, tmp_path):
    pixels = keras.Input((32, 32, 3))
    keras.Model(pixels, keras.layers.Flatten()(pixels)).save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="PixelNormalization"):
        networks.load_checked(tmp_path, dataset)


def test_a_damaged_record_of_a_run_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json is damaged"):
        embedding.run_record(tmp_path)


def test_flip_average_is_the_unit_mean_of_both_sides(small_model, images):
    both = small_model(images).numpy() + small_model(images[:, :, ::-1]).numpy()
    expected = both / np.linalg.norm(both, axis=1, keepdims=True)
    found = networks.network_embedder(small_model, flip_average=True)(images)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_flip_average_does_not_care_for_the_side(small_model, images):
    embed = networks.network_embedder(small_model, flip_average=True)
    np.testing.assert_allclose(embed(images), embed(images[:, :, ::-1]), atol=1e-5)


def test_untrained_network_has_fresh_weights_of_the_seed(small_model):
    first, again, other = (networks.untrained_like(small_model, seed) for seed in (1, 1, 2))
    kernels = [model.get_layer("bottleneck").kernel.numpy() for model in (first, again, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.allclose(kernels[0], kernels[2])
    marked = keras.models.clone_model(small_model)
    marked.get_layer("bottleneck").kernel.assign(np.full_like(kernels[0], 7.0))
    fresh = networks.untrained_like(marked, 1).get_layer("bottleneck").kernel.numpy()
    np.testing.assert_array_equal(fresh, kernels[0])
    assert models.preprocessing_of(first) == Preprocessing(size=32)


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_centred_unit_vectors_blind_to_light(images, channels):
    vectors = embedding.embed_pixels(images[..., :channels] // 2)
    assert vectors.shape == (5, 32 * 32 * channels)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    brighter = embedding.embed_pixels(images[..., :channels] // 2 + 40)
    np.testing.assert_allclose(vectors, brighter, atol=1e-5)


def test_uniform_picture_gives_zeros_not_nan():
    assert (embedding.embed_pixels(np.full((1, 32, 32, 3), 9, np.uint8)) == 0).all()


def test_every_picture_gets_the_vector_of_its_own_record(dataset, small_model):
    roster = Roster.of(dataset)
    embed = networks.network_embedder(small_model)
    by_seven = embedding.embed_roster(embed, dataset, roster, batch_size=7)
    one_by_one = embedding.embed_roster(embed, dataset, roster.where(np.arange(9, 12)), 1)
    np.testing.assert_allclose(by_seven.values[9:12], one_by_one.values, atol=1e-5)
    np.testing.assert_array_equal(np.isnan(by_seven.values).any(axis=1), roster.lost)


def test_diverged_model_is_refused(dataset):
    def diverged(images):
        return np.full((len(images), 4), np.nan, np.float32)

    with pytest.raises(InputError, match="not finite"):
        embedding.embed_roster(diverged, dataset, Roster.of(dataset), 8)


def test_roster_without_any_record_is_refused(dataset, small_model):
    roster = Roster.of(dataset)
    with pytest.raises(InputError, match="none of the 1 pictures"):
        embedding.embed_roster(
            embedding.embed_pixels, dataset, roster.where(roster.lost), batch_size=8
        )
