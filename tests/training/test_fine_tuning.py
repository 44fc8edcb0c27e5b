"""What a run starts from, what stays as it was to the bit, and what learns slower."""

import hashlib

import keras
import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.training.fine_tuning import FineTuning, freeze, layer_rates, take_weights
from tests.training.small import COSFACE, small_body, small_trainer, take_steps, values


def hashes(layer) -> list[str]:
    return [hashlib.sha256(each.tobytes()).hexdigest() for each in layer.get_weights()]


@pytest.mark.parametrize(
    ("jit", "chunk"), [pytest.param("on", None, marks=pytest.mark.slow), ("loss", None), ("off", 4)]
)
def test_frozen_layers_keep_their_bytes_and_the_others_learn(jit, chunk):
    body = small_body(norm=True)
    assert freeze(body, ["con*", "norm"]) == ["conv", "norm"]
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1)
    trainer = small_trainer(body, optimizer, COSFACE, jit, chunk=chunk)
    before = {layer.name: hashes(layer) for layer in body.layers}
    take_steps(trainer, 2)
    changed = [layer.name for layer in body.layers if hashes(layer) != before[layer.name]]
    assert changed == ["bottleneck"]
    assert len(trainer.weights_to_train) == 3  # the bottleneck's two and the prototypes


def test_a_frozen_batch_norm_normalises_as_in_inference():
    free, frozen = small_body(norm=True), small_body(norm=True)
    freeze(frozen, ["norm"])
    images = np.random.default_rng(0).integers(0, 255, (6, 16, 16, 3)).astype(np.uint8)
    inference = free(images, training=False).numpy()
    np.testing.assert_allclose(frozen(images, training=True), inference, rtol=1e-5, atol=1e-6)
    assert np.abs(free(images, training=True).numpy() - inference).max() > 1e-3


def test_a_pattern_that_fits_no_layer_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"--freeze stem\*: no layer .* conv, norm, bottleneck"):
        freeze(small_body(norm=True), ["conv", "stem*"])
    with pytest.raises(InputError, match=r"--layer-rates stem: no layer"):
        layer_rates(small_body(), FineTuning(layer_rates={"stem": 0.1}))


def multiples(body, tuning) -> dict[str, list[float]]:
    """Of each layer's trainable variables."""
    given = [(id(variable), rate) for variable, rate in layer_rates(body, tuning)]
    return {
        layer.name: [dict(given).get(id(each), 1.0) for each in layer.trainable_variables]
        for layer in body.layers
        if layer.weights
    }


def test_rates_by_pattern_and_by_depth():
    body = small_body(norm=True)
    assert multiples(body, FineTuning()) == {"conv": [1, 1], "norm": [1, 1], "bottleneck": [1, 1]}
    by_pattern = multiples(body, FineTuning(layer_rates={"*": 0.1, "bottle*": 2.0}))
    assert by_pattern == {"conv": [0.1] * 2, "norm": [0.1] * 2, "bottleneck": [2.0] * 2}
    by_depth = multiples(body, FineTuning(depth_decay=0.5))
    assert by_depth == {"conv": [0.5] * 2, "norm": [0.5] * 2, "bottleneck": [1, 1]}
    both = multiples(body, FineTuning(depth_decay=0.5, layer_rates={"norm": 0.1}))
    assert both == {"conv": [0.5] * 2, "norm": [0.05] * 2, "bottleneck": [1, 1]}


def test_frozen_layers_have_no_rate():
    body = small_body(norm=True)
    freeze(body, ["conv"])
    assert multiples(body, FineTuning(depth_decay=0.5))["conv"] == []


def test_weights_are_taken_by_name_and_shape():
    start, body = small_body(norm=True), small_body()
    for layer in start.layers:
        layer.set_weights([each + 1 for each in layer.get_weights()])
    assert take_weights(body, start) == []
    for name in ("conv", "bottleneck"):
        for found, wanted in zip(
            values(body.get_layer(name).weights), values(start.get_layer(name).weights), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)


def test_layers_of_another_shape_or_name_stay_fresh_and_are_told():
    pixels = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 5, strides=4, name="conv")(pixels)
    other = keras.Model(pixels, keras.layers.Dense(5, name="bottleneck")(x), name="other")
    body = small_body(norm=True)
    fresh = values(body.get_layer("bottleneck").weights)
    assert take_weights(body, other) == ["norm", "bottleneck"]
    for now, then in zip(values(body.get_layer("bottleneck").weights), fresh, strict=True):
        np.testing.assert_array_equal(now, then)
    (found, _), (wanted, _) = (each.get_layer("conv").get_weights() for each in (body, other))
    np.testing.assert_array_equal(found, wanted)


def test_a_model_without_a_layer_in_common_is_refused():
    pixels = keras.Input((16, 16, 3))
    other = keras.Model(pixels, keras.layers.Conv2D(1, 1, name="else")(pixels), name="other")
    with pytest.raises(InputError, match=r"--init: other has no layer of small"):
        take_weights(small_body(), other)


@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        (FineTuning(depth_decay=0.0), "--depth-decay 0.0"),
        (FineTuning(depth_decay=1.1), "--depth-decay 1.1"),
        (FineTuning(layer_rates={"conv": 0.0}), "--layer-rates conv 0.0: .* --freeze conv"),
    ],
)
def test_what_makes_no_sense_is_refused(tuning, message):
    with pytest.raises(InputError, match=message):
        tuning.check()
