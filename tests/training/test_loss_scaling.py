"""float16: values near float32's, small slopes that survive, an overflow that changes nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.training.config import Stage
from facenet_tf.training.heads import LossHead
from facenet_tf.training.loss_scaling import all_finite, scaled_backward, with_loss_scaling
from tests.training.small import (
    COSFACE,
    HARD,
    KERAS_3,
    small_batch,
    small_body,
    small_trainer,
    steps,
    take_steps,
    values,
)

SCALING = (keras.optimizers if KERAS_3 else keras.mixed_precision).LossScaleOptimizer


@pytest.fixture
def half():
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy("float32")


def half_trainer(stage=HARD, optimizer=None, jit="off", norm=False, **options):
    keras.mixed_precision.set_global_policy("mixed_float16")
    made = optimizer or with_loss_scaling(keras.optimizers.SGD(0.1, momentum=0.9))
    return small_trainer(small_body(norm=norm), made, stage, jit, **options)


def single_trainer(stage=HARD, **options):
    keras.mixed_precision.set_global_policy("float32")
    return small_trainer(small_body(), keras.optimizers.SGD(0.1, momentum=0.9), stage, **options)


@pytest.mark.parametrize(
    ("stage", "jit", "chunk"),
    [(HARD, "off", None), (COSFACE, "loss", None), (HARD, "loss", 4)],
    ids=["batch_hard", "cosface", "chunks"],
)
@pytest.mark.usefixtures("half")
def test_a_step_is_that_of_float32_to_half_precision(stage, jit, chunk):
    exact = single_trainer(stage)
    before = values(exact.weights_to_train)
    expected = take_steps(exact)
    # Cosines times 64 overflow at the scale that Keras begins with.
    optimizer = SCALING(keras.optimizers.SGD(0.1, momentum=0.9), initial_scale=2.0**8)
    trainer = half_trainer(stage, optimizer, jit, chunk=chunk)
    figures = take_steps(trainer)
    assert figures.pop("skipped_steps") == 0
    for name in ("loss", "gradient_norm", "mean_distance", "embedding_norm"):
        assert figures[name] == pytest.approx(expected[name], rel=0.03), name
    for found, wanted, start in zip(
        values(trainer.weights_to_train), values(exact.weights_to_train), before, strict=True
    ):
        way = np.linalg.norm(wanted - start)
        assert way > 0
        assert np.linalg.norm(found - wanted) < 0.1 * way


@pytest.mark.usefixtures("half")
def test_embeddings_and_loss_are_float32():
    trainer = half_trainer()
    embeddings, norms, _ = trainer.embed(small_batch()["image"])
    assert (embeddings.dtype, norms.dtype) == (tf.float32, tf.float32)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-6)
    assert trainer.embedding_model.get_layer("conv").compute_dtype == "float16"


@pytest.mark.usefixtures("half")
def test_small_slopes_survive_by_the_scale_alone():
    """Below 2^-24 float16 has nothing left."""
    trainer = half_trainer()
    slopes = tf.fill([12, 8], 1e-9) * tf.random.stateless_normal([12, 8], [1, 2])
    _, _, plain = trainer._embed_whole(small_batch()["image"])
    assert not np.any(plain(slopes)[0])
    _, _, plain = trainer._embed_whole(small_batch()["image"])
    found = scaled_backward(trainer.optimizer, plain)(slopes)
    _, _, exact = single_trainer()._embed_whole(small_batch()["image"])
    for gradient, wanted in zip(found, exact(slopes), strict=True):
        size = np.abs(wanted).max()
        assert size > 0
        np.testing.assert_allclose(gradient, wanted, atol=0.1 * size)


@pytest.mark.parametrize("clip_by", ["all", "variable", "value"])
@pytest.mark.usefixtures("half")
def test_a_limit_is_of_the_unscaled_gradient(clip_by):
    sgd = with_loss_scaling(keras.optimizers.SGD(1.0))
    trainer = half_trainer(optimizer=sgd, clip_norm=1e-3, clip_by=clip_by)
    before = values(trainer.weights_to_train)
    take_steps(trainer)
    ways = [a - b for a, b in zip(values(trainer.weights_to_train), before, strict=True)]
    longest = {
        "all": np.sqrt(sum((way**2).sum() for way in ways)),
        "variable": max(np.linalg.norm(way) for way in ways),
        "value": max(np.abs(way).max() for way in ways),
    }
    assert longest[clip_by] == pytest.approx(1e-3, rel=1e-2)


def scale_of(optimizer) -> float:
    return float(optimizer.dynamic_scale if KERAS_3 else optimizer.loss_scale)


def overflow_to_infinity(monkeypatch, trainer) -> None:
    """Let all gradients of the body be infinite, whatever the scale."""
    real = trainer._embed_whole

    def embed(images):
        embeddings, norms, _ = real(images)
        infinite = [
            tf.fill(each.shape, np.inf) for each in trainer.embedding_model.trainable_variables
        ]
        return embeddings, norms, lambda slopes: infinite

    monkeypatch.setattr(trainer, "_embed_whole", embed)


@pytest.mark.parametrize(
    ("stage", "jit"), [("triplet/batch_hard", "off"), ("cosface + 0.01*centre", "loss")]
)
@pytest.mark.parametrize("clip", [{}, {"clip_norm": 1.0, "clip_by": "value"}], ids=["", "clipped"])
@pytest.mark.usefixtures("half")
def test_a_step_that_overflows_changes_nothing_but_the_scale(monkeypatch, stage, jit, clip):
    """Where no NaN gives it away, too: infinity is what a limit could hide."""
    adam = keras.optimizers.Adam(0.01, use_ema=True)
    optimizer = SCALING(adam, initial_scale=2.0**90)
    trainer = half_trainer(Stage(stage, 1), optimizer, jit, norm=True, **clip)
    overflow_to_infinity(monkeypatch, trainer)
    everything = [*trainer.weights_to_train, *trainer._moving_without_gradient]
    slots = [each for each in adam.variables if len(each.shape)]
    before, before_slots = values(everything), values(slots)
    assert len(slots) == 3 * len(trainer.weights_to_train)
    figures = take_steps(trainer)
    assert figures["skipped_steps"] == 1
    assert all(np.isfinite(figure) for figure in figures.values())
    assert scale_of(trainer.optimizer) == 2.0**89
    for now, then in zip(values(everything) + values(slots), before + before_slots, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.usefixtures("half")
def test_skipped_steps_are_counted_and_in_no_mean():
    optimizer = SCALING(keras.optimizers.SGD(0.0), initial_scale=2.0**60)
    trainer = half_trainer(optimizer=optimizer)
    step = tf.function(trainer.train_step)
    trainer.reset_metrics()
    batch = small_batch()
    for _ in range(60):
        figures = {name: float(value) for name, value in step(batch).items()}
    assert 0 < figures["skipped_steps"] < 60
    alone = take_steps(single_trainer(), batch=batch)
    assert figures["loss"] == pytest.approx(alone["loss"], rel=0.01)
    assert figures["gradient_norm"] == pytest.approx(alone["gradient_norm"], rel=0.05)


@pytest.mark.parametrize(("stage", "jit"), [(HARD, "off"), (COSFACE, "loss")])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.usefixtures("half")
def test_a_loss_that_is_not_finite_is_no_overflow(stage, jit, value, monkeypatch):
    """It is told, as in float32, and changes nothing; no scale would have mended it."""
    real = LossHead.objective

    def spoiled(self, *arguments):
        loss, health = real(self, *arguments)
        return value * loss, health

    monkeypatch.setattr(LossHead, "objective", spoiled)
    trainer = half_trainer(stage, jit=jit, norm=True)
    everything = [*trainer.weights_to_train, *trainer._moving_without_gradient]
    before = values(everything)
    figures = take_steps(trainer)
    assert figures["skipped_steps"] == 0
    assert not np.isfinite(figures["loss"])
    for now, then in zip(values(everything), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.usefixtures("half")
def test_activations_that_overflow_are_no_overflow_of_the_scale():
    trainer = half_trainer()
    conv = trainer.embedding_model.get_layer("conv")
    kernel, bias = conv.get_weights()
    conv.set_weights([kernel, bias + 1e6])
    figures = take_steps(trainer)
    assert figures["skipped_steps"] == 0
    assert not np.isfinite([figures["loss"], figures["gradient_norm"]]).all()


@pytest.mark.usefixtures("half")
def test_an_overflow_that_no_scale_mends_is_reported_once_nothing_is_scaled(monkeypatch):
    optimizer = SCALING(keras.optimizers.SGD(0.1), initial_scale=4.0)
    trainer = half_trainer(optimizer=optimizer, norm=True)
    overflow_to_infinity(monkeypatch, trainer)
    everything = [*trainer.weights_to_train, *trainer._moving_without_gradient]
    before = values(everything)
    figures = list(steps(trainer, [small_batch()] * 3))
    assert [each["skipped_steps"] for each in figures] == [1, 1, 0]
    assert [np.isfinite(each["gradient_norm"]) for each in figures] == [True, True, False]
    for now, then in zip(values(everything), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_one_value_that_is_not_finite_is_enough():
    good = [tf.ones([2]), tf.zeros([3, 1])]
    assert bool(all_finite(good))
    for bad in (np.inf, -np.inf, np.nan):
        assert not bool(all_finite([*good, tf.constant([1.0, bad])]))


def test_float32_reports_no_skipped_steps():
    keras.mixed_precision.set_global_policy("float32")
    assert "skipped_steps" not in take_steps(single_trainer())
