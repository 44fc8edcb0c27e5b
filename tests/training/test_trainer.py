"""One train step: what it learns from, what it reports, and that XLA is where it was asked for."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.config import Stage
from facenet_tf.training.heads import build_head
from facenet_tf.training.trainer import EmbeddingTrainer, compile_checked, step_is_jitted

SIDE, PEOPLE, EACH = 16, 4, 3
HARD = Stage("triplet", epochs=1, mining="batch_hard")
COSFACE = Stage("cosface", epochs=1)


def make_trainer(stage=HARD, jit="off", clip_norm=0.0) -> EmbeddingTrainer:
    keras.utils.set_random_seed(0)
    pixels = keras.Input((SIDE, SIDE, 3))
    x = models.PixelNormalization(Preprocessing(size=SIDE).to_dict())(pixels)
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(x))
    x = keras.layers.Dense(8, name="bottleneck")(x)
    model = keras.Model(pixels, models.UnitLength(name="embedding")(x))
    trainer = EmbeddingTrainer(model, build_head(stage, PEOPLE, 8, seed=0), jit, clip_norm)
    compile_checked(trainer, keras.optimizers.SGD(0.1), jit)
    return trainer


def make_batch() -> dict[str, tf.Tensor]:
    random = np.random.default_rng(3)
    count = PEOPLE * EACH
    return {
        "image": tf.constant(random.integers(0, 255, (count, SIDE, SIDE, 3)), tf.uint8),
        "label": tf.repeat(tf.range(PEOPLE), EACH),
        "source": tf.range(count),
    }


def weights_after_a_step(trainer: EmbeddingTrainer) -> list[np.ndarray]:
    step = tf.function(trainer.train_step, jit_compile=step_is_jitted(trainer))
    step(make_batch())
    return [np.asarray(weight) for weight in trainer.weights_to_train]


@pytest.mark.parametrize(("stage", "jit"), [(HARD, "on"), (COSFACE, "loss")])
def test_xla_changes_nothing_but_the_rounding(stage, jit):
    plain = weights_after_a_step(make_trainer(stage, "off"))
    jitted = weights_after_a_step(make_trainer(stage, jit))
    before = [np.asarray(weight) for weight in make_trainer(stage).weights_to_train]
    for expected, actual, start in zip(plain, jitted, before, strict=True):
        assert np.abs(expected - start).max() > 0
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)


def test_the_step_is_gradient_descent_on_the_heads_loss():
    trainer, twin = make_trainer(), make_trainer()
    batch = make_batch()
    with tf.GradientTape() as tape:
        embeddings = twin.embedding_model(batch["image"], training=True)
        loss, _ = twin.head.objective(
            embeddings, tf.ones(PEOPLE * EACH), batch["label"], batch["source"]
        )
    gradients = tape.gradient(loss, twin.weights_to_train)
    expected = [np.asarray(w) - 0.1 * g.numpy() for w, g in zip(twin.weights_to_train, gradients)]
    for actual, wanted in zip(weights_after_a_step(trainer), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-5, atol=1e-7)


def test_clipping_limits_the_step():
    free, clipped = make_trainer(), make_trainer(clip_norm=1e-3)
    start = [np.asarray(weight) for weight in free.weights_to_train]

    def moved(trainer):
        steps = [a - b for a, b in zip(weights_after_a_step(trainer), start)]
        return np.sqrt(sum(float((step**2).sum()) for step in steps))

    assert moved(free) > 1e-3
    np.testing.assert_allclose(moved(clipped), 0.1 * 1e-3, rtol=1e-3)


def test_fit_reports_means_over_the_epoch_and_keeps_labels_integer():
    trainer = make_trainer()
    seen = []
    objective = trainer.head.objective

    def spy(embeddings, norms, labels, *others):
        seen.append(labels.dtype)
        return objective(embeddings, norms, labels, *others)

    trainer.head.objective = spy
    big = make_batch() | {"label": make_batch()["label"] + 2**25}
    data = tf.data.Dataset.from_tensors(big).repeat(3)
    history = trainer.fit(data, epochs=1, verbose=0).history
    assert all(kind == tf.int32 for kind in seen)
    assert history["loss"][0] > 0.1
    assert 0 < history["mean_distance"][0] < 2
    assert history["embedding_norm"][0] > 0


def test_neighbouring_labels_above_two_to_the_24_stay_apart():
    """As float32 they would be one identity: no negatives, and the loss 0."""
    head = build_head(HARD, 2, 8, seed=0)
    embeddings = tf.math.l2_normalize(tf.random.stateless_normal((4, 8), (1, 2)), axis=1)
    labels = tf.constant([2**25, 2**25, 2**25 + 1, 2**25 + 1], tf.int64)
    loss, _ = head.objective(embeddings, tf.ones(4), labels, tf.range(4))
    assert float(loss) > 0.1


def test_the_norm_before_normalisation_is_the_bottlenecks():
    trainer = make_trainer()
    batch = make_batch()
    bottleneck = keras.Model(
        trainer.embedding_model.input, trainer.embedding_model.get_layer("bottleneck").output
    )
    expected = np.linalg.norm(bottleneck(batch["image"]), axis=1).mean()
    trainer.train_step(batch)
    report = {metric.name: float(metric.result()) for metric in trainer.metrics}
    assert report["embedding_norm"] == pytest.approx(expected, rel=1e-5)


def test_xla_that_keras_turned_off_stops_the_run(monkeypatch):
    monkeypatch.setattr("facenet_tf.training.trainer.step_is_jitted", lambda trainer: False)
    with pytest.raises(RuntimeError, match=r"'on' was asked for, .* XLA is {'train_step': False"):
        make_trainer(jit="on")


def test_xla_of_the_loss_that_is_off_stops_the_run():
    tf.config.run_functions_eagerly(True)
    try:
        with pytest.raises(RuntimeError, match=r"'loss' was asked for, .* 'loss': False"):
            make_trainer(jit="loss")
    finally:
        tf.config.run_functions_eagerly(False)


def compiled_functions(trainer) -> list[str]:
    """Names of the functions of the traced train step that XLA must compile."""
    step = tf.function(trainer.train_step).get_concrete_function(make_batch())
    library = step.graph.as_graph_def().library.function
    return [f.signature.name for f in library if f.attr["_XlaMustCompile"].b]


def test_the_train_step_holds_the_compiled_loss_with_its_gradient():
    names = compiled_functions(make_trainer(jit="loss"))
    assert any("objective" in name for name in names), names
    assert not compiled_functions(make_trainer(jit="off"))


def test_prototypes_leave_with_the_trainer():
    trainer = make_trainer(COSFACE)
    assert len(trainer.weights_to_train) == len(trainer.embedding_model.trainable_variables) + 1
    assert not any("prototypes" in w.name for w in trainer.embedding_model.weights)
