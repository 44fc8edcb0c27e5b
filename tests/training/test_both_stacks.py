"""What must work on TensorFlow 2.15 with Keras 2 as it does on the current ones.

`make test-addons` runs this file there, beside the tests of the losses.
"""

import importlib
import pkgutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import facenet_tf
from facenet_tf import models
from facenet_tf.losses import batch_hard_triplet, mean_loss
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.fit import train
from facenet_tf.training.heads import build_head
from facenet_tf.training.trainer import EmbeddingTrainer, compile_checked

# Modules that are imported where their extra is asked for.
OF_AN_EXTRA = {"facenet_tf.detection.onnx_engine": "onnxruntime"}
MODULES = [module.name for module in pkgutil.walk_packages(facenet_tf.__path__, "facenet_tf.")]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports(name):
    if name in OF_AN_EXTRA:
        pytest.importorskip(OF_AN_EXTRA[name])
    importlib.import_module(name)


@pytest.mark.parametrize(
    ("loss", "jit"),
    [
        ("cosface", "loss"),
        ("arcface", "off"),
        ("triplet/batch_hard", "off"),
        # A minute of compiling.
        pytest.param("cosface", "on", marks=pytest.mark.slow),
    ],
)
def test_a_real_train_step_moves_every_weight(loss, jit):
    keras.utils.set_random_seed(0)
    model = models.build(
        "residual_small", preprocessing=Preprocessing(size=32), embedding_size=8, width=4
    )
    head = build_head(Stage(loss, epochs=1), classes=3, embedding_size=8, seed=0)
    trainer = EmbeddingTrainer(model, head, jit)
    compile_checked(trainer, keras.optimizers.AdamW(1e-2), jit)
    before = [np.array(weight) for weight in trainer.weights_to_train]
    random = np.random.default_rng(0)
    batch = {
        "image": tf.constant(random.integers(0, 255, (6, 32, 32, 3)), tf.uint8),
        "label": tf.constant([0, 0, 1, 1, 2, 2]),
        "source": tf.range(6),
    }
    history = trainer.fit(tf.data.Dataset.from_tensors(batch), shuffle=False, verbose=0).history
    assert history["loss"][0] > 0
    for start, weight in zip(before, trainer.weights_to_train, strict=True):
        assert np.abs(np.array(weight) - start).max() > 0, weight.name


def test_a_run_from_records_to_a_loaded_model(dataset, tmp_path):
    stage = Stage("triplet/batch_hard", epochs=1, identities_per_batch=2, images_per_identity=2)
    config = TrainConfig(
        dataset=dataset.directory,
        output=tmp_path / "run",
        width=4,
        steps_per_epoch=1,
        warm_up=Stage("cosface", epochs=0),
        main=stage,
    )
    train(config)
    model = keras.saving.load_model(tmp_path / "run" / "model.keras", safe_mode=True)
    assert model.output_shape == (None, 128)


@pytest.mark.addons
@pytest.mark.parametrize("margin", [0.2, "soft"])
def test_batch_hard_equals_tensorflow_addons(margin):
    import tensorflow_addons

    random = np.random.default_rng(0)
    rows = tf.math.l2_normalize(tf.constant(random.normal(size=(32, 16)), tf.float32), axis=1)
    labels = tf.repeat(tf.range(8), 4)
    theirs = tensorflow_addons.losses.TripletHardLoss(
        margin=1.0 if margin == "soft" else margin, soft=margin == "soft"
    )(labels, rows)
    ours = mean_loss(batch_hard_triplet(rows, labels, margin=margin, anchors="all"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
