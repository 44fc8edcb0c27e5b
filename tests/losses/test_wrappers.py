import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import (
    EmbeddingLoss,
    PrototypeLoss,
    batch_hard_triplet,
    find_loss,
    losses,
    mean_loss,
)

RANDOM = np.random.default_rng(2)
PIXELS = RANDOM.normal(size=(16, 6)).astype(np.float32)
LABELS = np.arange(16) // 4
ALONE = [loss for loss in losses() if not loss.tensors & {"prototypes", "norms", "state"}]
OURS = [loss for loss in ALONE if not loss.name.startswith("tfa_")]


def small_model():
    keras.utils.set_random_seed(3)
    pixels = keras.Input((6,))
    return keras.Model(pixels, keras.layers.UnitNormalization()(keras.layers.Dense(5)(pixels)))


def fitted(loss, labels=LABELS, jit=False):
    """Loss of one step, and the model after it."""
    model = small_model()
    model.compile(keras.optimizers.SGD(0.1), loss=loss, jit_compile=jit)
    history = model.fit(PIXELS, labels, batch_size=16, verbose=0, shuffle=False)
    return history.history["loss"][0], model


@pytest.mark.parametrize("loss", OURS, ids=[loss.title for loss in OURS])
def test_every_loss_of_embeddings_alone_takes_a_step(loss):
    value, model = fitted(EmbeddingLoss(loss.name, loss.mining))
    assert np.isfinite(value)
    before, after = small_model().get_weights(), model.get_weights()
    assert np.abs(before[0] - after[0]).max() > 0


@pytest.mark.parametrize("jit", [False, True])
def test_value_is_that_of_the_function(jit):
    expected = batch_hard_triplet(small_model()(PIXELS), tf.constant(LABELS), margin=0.3)
    value, _ = fitted(EmbeddingLoss("triplet", "batch_hard", margin=0.3), jit=jit)
    assert value == pytest.approx(float(mean_loss(expected)), rel=1e-5)


@pytest.mark.parametrize("labels", [2**24 + LABELS % 2, 2**53 + LABELS % 2], ids=["2^24", "2^53"])
def test_labels_beyond_float32_stay_apart(labels):
    """As float32 they are one identity, and the loss of one identity is 0."""
    loss = EmbeddingLoss("triplet", "batch_hard")
    expected = batch_hard_triplet(small_model()(PIXELS), tf.constant(labels % 2))
    assert fitted(loss, labels)[0] == pytest.approx(float(mean_loss(expected)), rel=1e-5)
    assert fitted(loss, labels[:, None])[0] == pytest.approx(float(mean_loss(expected)), rel=1e-5)


def test_model_optimizer_and_loss_survive_saving(tmp_path):
    loss = EmbeddingLoss("triplet", "distance_weighted", seed=4, margin="soft", cutoff=0.3)
    _, model = fitted(loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert isinstance(loaded.loss, EmbeddingLoss)
    assert loaded.loss.get_config() == loss.get_config()
    assert int(loaded.optimizer.iterations) == 1
    following = [
        each.fit(PIXELS, LABELS, batch_size=16, verbose=0, shuffle=False).history["loss"][0]
        for each in (model, loaded)
    ]
    assert following[0] == following[1]


class TestRandomMining:
    def values(self, **options):
        loss = EmbeddingLoss("triplet", "distance_weighted", margin="soft", **options)
        rows = tf.math.l2_normalize(tf.constant(PIXELS), axis=1)
        return [float(loss(tf.constant(LABELS), rows)) for _ in range(6)]

    def test_draws_anew_at_each_call(self):
        assert len(set(self.values())) > 3

    def test_seed_and_calls_say_all(self):
        assert self.values(seed=1) == self.values(seed=1) != self.values(seed=2)
        assert self.values(seed=1, calls=2)[:4] == self.values(seed=1)[2:]

    def test_draws_anew_in_a_compiled_function(self):
        loss = EmbeddingLoss("triplet", "distance_weighted", margin="soft", seed=1)
        rows = tf.math.l2_normalize(tf.constant(PIXELS), axis=1)
        compiled = tf.function(loss, jit_compile=True)
        found = [float(compiled(tf.constant(LABELS), rows)) for _ in range(6)]
        assert found == pytest.approx(self.values(seed=1), rel=1e-5)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "options", "message"),
        [
            (("arcface",), {}, "arcface needs a trainable direction for each class: PrototypeLoss"),
            (("triplet",), {}, "choose one of"),
            (("triplets",), {}, "no loss 'triplets'"),
            (("triplet", "batch_hard"), {"scale": 1}, "has no option 'scale': it has"),
            (("triplet", "batch_hard"), {"seed": 1}, "draws nothing"),
        ],
    )
    def test_what_cannot_be(self, arguments, options, message):
        with pytest.raises(ValueError, match=message):
            EmbeddingLoss(*arguments, **options)

    def test_float_labels(self):
        with pytest.raises(ValueError, match="labels must be integers"):
            fitted(EmbeddingLoss("triplet", "batch_hard"), LABELS.astype(np.float32))

    def test_sample_weights(self):
        with pytest.raises(ValueError, match="no sample weights"):
            EmbeddingLoss("triplet", "batch_hard")(LABELS, PIXELS, np.ones(16))


def test_names():
    assert EmbeddingLoss("triplet", "batch_hard").name == "triplet_batch_hard"
    assert EmbeddingLoss("triplet", "batch_hard", name="mine").name == "mine"
    assert find_loss("triplet", "batch_hard").title == "triplet/batch_hard"


KEEPING = [loss.title for loss in losses() if loss.tensors & {"prototypes", "state"}]


def trained_with(*arguments, **options):
    """A model with the layer at its end, and a dense layer before it."""
    keras.utils.set_random_seed(3)
    pixels, labels = keras.Input((6,)), keras.Input((), dtype="int64")
    layer = PrototypeLoss(*arguments, classes=4, **options)
    model = keras.Model([pixels, labels], layer([keras.layers.Dense(5)(pixels), labels]))
    model.compile(keras.optimizers.SGD(0.1))
    return model, layer


def steps(model, count=1):
    history = model.fit([PIXELS, LABELS], batch_size=16, epochs=count, verbose=0, shuffle=False)
    return history.history["loss"]


class TestPrototypeLoss:
    @pytest.mark.parametrize("title", KEEPING)
    def test_every_loss_that_keeps_something_takes_steps(self, title):
        model, layer = trained_with(title)
        before = [np.array(each) for each in model.get_weights()]
        values = steps(model, 2)
        assert np.all(np.isfinite(values)) and values[0] != values[1]
        assert np.any(before[0] != model.get_weights()[0])
        kept = {"prototypes": layer.prototypes, "state": layer.state}
        assert {name for name, value in kept.items() if value is not None} == {
            name for name in kept if name in layer.loss.tensors
        }

    def test_value_is_that_of_the_function(self):
        model, layer = trained_with("cosface", scale=8.0)
        rows = model([PIXELS, LABELS])
        expected = find_loss("cosface").function(
            rows, tf.constant(LABELS), tf.constant(layer.prototypes), scale=8.0
        )
        assert steps(model)[0] == pytest.approx(float(mean_loss(expected)), rel=1e-5)

    def test_prototypes_are_trained(self):
        model, layer = trained_with("subcentre_arcface", sub_centres=2)
        before = layer.prototypes.numpy()
        steps(model)
        assert before.shape == (4, 2, 5)
        assert np.abs(before - layer.prototypes.numpy()).max() > 1e-4

    @pytest.mark.parametrize("title", ["adaface", "centre"])
    def test_state_moves_in_training_alone(self, title):
        model, layer = trained_with(title)
        first = layer.state.numpy()
        np.testing.assert_allclose(first, layer.loss.initial_state(4, 5))
        model.evaluate([PIXELS, LABELS], batch_size=16, verbose=0)
        np.testing.assert_array_equal(first, layer.state.numpy())
        steps(model)
        assert np.any(first != layer.state.numpy())

    def test_survives_saving(self, tmp_path):
        model, layer = trained_with("adaface", margin=0.3)
        steps(model)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
        assert loaded.layers[-1].get_config() == layer.get_config()
        assert steps(model) == steps(loaded)

    @pytest.mark.parametrize(
        ("loss", "options", "message"),
        [
            ("multi_similarity", {}, "use EmbeddingLoss"),
            ("arcface", {"sub_centres": 3}, "one prototype a class"),
            ("arcface", {"radius": 3}, "has no option 'radius': it has margin, scale"),
            ("arcfase", {}, "no loss 'arcfase'"),
        ],
    )
    def test_what_cannot_be(self, loss, options, message):
        with pytest.raises(ValueError, match=message):
            PrototypeLoss(loss, classes=4, **options)
