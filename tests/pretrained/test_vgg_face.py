"""VGG-Face out of an .h5 of Keras, against a network of the same names that Keras saved."""

import h5py
import keras
import numpy as np
import pytest

from facenet_tf import models, pretrained
from facenet_tf.errors import InputError
from facenet_tf.pretrained.keras_file import read_h5
from facenet_tf.pretrained.sources import read

SIDE, FC6, FC7 = 64, 16, 12
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))


def small_vgg():
    """The network with small dense layers; blue first, as it wants pictures."""
    keras.utils.set_random_seed(0)
    x = pixels = keras.Input((SIDE, SIDE, 3))
    for block, (count, filters) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            x = keras.layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                bias_initializer="normal",
                kernel_initializer="he_normal",
                name=f"conv{block}_{number}",
            )(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{block}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Activation("relu", name="fc6_relu")(keras.layers.Dense(FC6, name="fc6")(x))
    features = keras.layers.Dense(FC7, activation="relu", name="fc7")(x)
    people = keras.layers.Dense(5, activation="softmax", name="fc8")(features)
    return keras.Model(pixels, [people, features])


def pictures():
    return np.random.RandomState(0).randint(0, 256, (3, SIDE, SIDE, 3)).astype(np.float32)


def expected_of(theirs):
    """Features of the pictures, scaled to length 1."""
    blue_first = pictures()[..., ::-1] - np.array([93.594, 104.7624, 129.1863], np.float32)
    features = np.asarray(theirs(blue_first)[1])
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def test_an_h5_of_keras(tmp_path):
    theirs = small_vgg()
    theirs.save(tmp_path / "vgg.h5")
    imported = read(tmp_path / "vgg.h5")
    np.testing.assert_allclose(imported.model(pictures()).numpy(), expected_of(theirs), atol=1e-4)
    crops = models.preprocessing_of(imported.model)
    assert (crops.size, crops.normalization) == (SIDE, "vgg_face")
    assert set(imported.left_out) == {"fc8/kernel", "fc8/bias"}


def test_the_form_without_dense_layers_is_refused(tmp_path):
    with h5py.File(tmp_path / "notop.h5", "w") as file:
        file["conv1_1/conv1_1/kernel:0"] = np.zeros((3, 3, 3, 64), np.float32)
    with pytest.raises(InputError, match="it has no fc6/kernel"):
        pretrained.load(tmp_path / "notop.h5")


def test_names_of_keras_1(tmp_path):
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file["fc8/fc8_W_1:0"], file["fc8/fc8_b_1:0"] = np.zeros((4, 3), "f"), np.zeros(3, "f")
        file["conv1_1/conv1_1_W:0"] = np.zeros((3, 3, 3, 64), np.float32)
    tensors, layers = read_h5(tmp_path / "old.h5")
    assert set(tensors.names()) == {"fc8/kernel", "fc8/bias", "conv1_1/kernel"}
    assert layers == []


def test_damaged_and_foreign_files_are_refused(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"not HDF5")
    with pytest.raises(InputError, match=r"a\.h5: it cannot be read as an \.h5 of Keras"):
        pretrained.load(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["dense/dense/kernel:0"] = np.zeros(3, np.float32)
    with pytest.raises(InputError, match=r"b\.h5: it has no Bottleneck/kernel"):
        pretrained.load(tmp_path / "b.h5")
    with h5py.File(tmp_path / "c.h5", "w") as file:
        outside = [(str(tmp_path / "a.h5"), 0, 8)]
        file.create_dataset("conv1_1/kernel:0", (2,), np.float32, external=outside)
    with pytest.raises(InputError, match=r"c\.h5: it keeps conv1_1/kernel:0 in another file"):
        pretrained.load(tmp_path / "c.h5")
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.attrs["model_config"] = "{"
    with pytest.raises(InputError, match=r"d\.h5: it cannot be read"):
        pretrained.load(tmp_path / "d.h5")
