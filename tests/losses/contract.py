"""What every loss must hold, one function a check, and which check does not apply to which loss.

Sixteen rows of five people, in no order, are given to every loss, with what else it asks for.
"""

import functools
import importlib.util
import json
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from facenet_tf.losses import Loss, Memory, losses, mean_loss

from .twin import finite_differences, unit
from .twins import TWINS

SIZE, CLASSES = 6, 5
RANDOM = np.random.default_rng(11)
LABELS = np.array([0, 3, 1, 1, 2, 0, 3, 3, 0, 2, 4, 1, 2, 3, 0, 1])
ROWS = unit(RANDOM.normal(size=(len(LABELS), SIZE)))
PROTOTYPES = RANDOM.normal(size=(CLASSES, SIZE))
PROTOTYPES.setflags(write=False)
ROTATION = np.linalg.qr(RANDOM.normal(size=(SIZE, SIZE)))[0]

# Tensors of single losses: what they are given by name, besides embeddings and labels.
GIVEN: dict[str, dict[str, np.ndarray]] = {
    "adaface": {"norms": RANDOM.uniform(5.0, 40.0, len(LABELS)), "state": np.array([20.0, 10.0])},
    "centre": {"state": RANDOM.normal(size=(len(LABELS), SIZE))},
    "subcentre_arcface": {"prototypes": RANDOM.normal(size=(CLASSES, 3, SIZE))},
    "triplet/distance_weighted": {"seed": np.array([3, 8], np.int32)},
}
# (title, check) -> why the check does not apply.
NOT_APPLICABLE: dict[tuple[str, str], str] = {
    ("adaface", "order_of_rows_is_irrelevant"): "the norms move along: held in test_margin_limits",
    ("centre", "names_of_labels_are_irrelevant"): "the centres move along: held in test_centre",
    ("centre", "rotation_is_irrelevant"): "the centres turn along: held in test_centre",
    ("triplet/distance_weighted", "order_of_rows_is_irrelevant"): (
        "what a pair draws depends on its place in the batch"
    ),
    ("tfa_semihard", "finite_without_positives_or_negatives"): "theirs is 0/0 without any pair",
    (
        "circle",
        "equals_twin",
    ): "its weights have no gradient; test_circle.py holds them in the twin",
    ("n_pairs", "order_of_rows_is_irrelevant"): "the first row of a class stands for it",
    ("circle", "wider_margins_never_cost_less"): "its margin relaxes: held in test_circle",
}
CHECKS: dict[str, Callable[[Loss], None]] = {}


def check(function=None, *, where: Callable[[Loss], bool] = lambda loss: True, otherwise: str = ""):
    """Enter a check under the name of its function, and why it does not apply to other losses."""

    def enter(function):
        CHECKS[function.__name__] = function
        for loss in losses():
            if not where(loss):
                NOT_APPLICABLE[loss.title, function.__name__] = otherwise
        return function

    return enter(function) if function else enter


def combinations() -> list[tuple[Loss, str]]:
    """Every loss with every check that applies to it."""
    return [
        (loss, name)
        for loss in losses()
        for name in CHECKS
        if (loss.title, name) not in NOT_APPLICABLE
    ]


def given(loss: Loss) -> dict[str, np.ndarray]:
    """The tensors that the loss gets besides embeddings and labels."""
    shared = {"prototypes": PROTOTYPES} if "prototypes" in loss.tensors else {}
    return shared | GIVEN.get(loss.title, {})


@functools.cache
def _compiled(title: str, jit: bool, options: str) -> Callable:
    loss = next(each for each in losses() if each.title == title)

    @tf.function(jit_compile=jit)
    def compute(rows, labels, tensors):
        trained = [rows, *(tensors[name] for name in sorted(tensors) if name == "prototypes")]
        with tf.GradientTape() as tape:
            tape.watch(trained)
            result = loss.function(rows, labels, **tensors, **json.loads(options))
            value = mean_loss(result[0] if "state" in loss.tensors else result)
        return value, tape.gradient(value, trained, unconnected_gradients="zero")

    return compute


def value_and_gradients(
    loss: Loss, rows=ROWS, labels=LABELS, jit=True, dtype=tf.float32, options=None, **tensors
):
    """Mean loss, and its gradient by the rows and by the prototypes if it has any."""
    options = TWINS[loss.title].variants[0] if options is None else options
    tensors = {
        name: _tensor(value, dtype if name == "prototypes" else tf.float32)
        for name, value in (given(loss) | tensors).items()
    }
    compute = _compiled(loss.title, jit, json.dumps(options, sort_keys=True))
    value, gradients = compute(tf.constant(rows, dtype), tf.constant(labels), tensors)
    return float(value), [tf.cast(each, tf.float32).numpy() for each in gradients]


def _tensor(value: np.ndarray, dtype: tf.DType) -> tf.Tensor:
    return tf.constant(value, dtype if np.issubdtype(value.dtype, np.floating) else None)


def assert_same(found, expected, rtol=1e-4, atol=1e-5):
    np.testing.assert_allclose(found[0], expected[0], rtol=rtol, atol=atol)
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol * max(1, np.abs(other).max()))


@check
def equals_twin(loss):
    """Value and gradient under every variant of options are those of the NumPy twin.

    The first variant with XLA, which takes seconds to compile each; that it changes nothing is
    another check.
    """
    twin = TWINS[loss.title]
    tensors = given(loss)
    for options in twin.variants:
        jit = options == twin.variants[0]
        value, gradients = value_and_gradients(loss, options=options, jit=jit)
        expected = twin.function(ROWS, LABELS, **tensors, **options)
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)
        whole = functools.partial(twin.function, labels=LABELS, **tensors, **options)
        of_rows = finite_differences(whole, ROWS)
        assert np.abs(of_rows).max() > 1e-4, "a gradient of zero shows nothing"
        scale = max(1, np.abs(of_rows).max())
        np.testing.assert_allclose(gradients[0], of_rows, rtol=1e-3, atol=2e-4 * scale)


@check
def jit_equals_graph(loss):
    assert_same(value_and_gradients(loss, jit=True), value_and_gradients(loss, jit=False))


@check
def bfloat16_equals_graph(loss):
    """bfloat16 comes in, is computed in float32, with and without XLA."""
    rounded = tf.cast(tf.cast(ROWS, tf.bfloat16), tf.float32).numpy()
    low = [value_and_gradients(loss, dtype=tf.bfloat16, jit=jit) for jit in (True, False)]
    assert_same(low[0], low[1], rtol=2e-2, atol=2e-3)
    prototypes = {
        name: tf.cast(tf.cast(value, tf.bfloat16), tf.float32).numpy()
        for name, value in given(loss).items()
        if name == "prototypes"
    }
    exact = value_and_gradients(loss, rounded, **prototypes)
    np.testing.assert_allclose(low[0][0], exact[0], rtol=1e-4, atol=1e-5)


@check
def finite_when_degenerate(loss):
    """Duplicated, zero and collapsed embeddings have finite losses and gradients."""
    duplicated = ROWS[[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 0, 1, 2, 3]]
    degenerate = [duplicated, np.zeros_like(ROWS), np.tile(ROWS[:1], (len(ROWS), 1))]
    for rows in degenerate:
        for jit in (True, False):
            value, gradients = value_and_gradients(loss, rows, jit=jit)
            assert np.isfinite(value)
            assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


@check
def finite_without_positives_or_negatives(loss):
    """One class alone, and every row a class of its own."""
    for labels in (np.zeros_like(LABELS), np.arange(len(LABELS))):
        if "prototypes" in loss.tensors:
            labels = labels % CLASSES
        for jit in (True, False):
            value, gradients = value_and_gradients(loss, labels=labels, jit=jit)
            assert np.isfinite(value) and value >= 0
            assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


@check
def order_of_rows_is_irrelevant(loss):
    order = np.random.default_rng(5).permutation(len(ROWS))
    value, gradients = value_and_gradients(loss)
    found = value_and_gradients(loss, ROWS[order], LABELS[order])
    assert_same(found, (value, [gradients[0][order], *gradients[1:]]))


@check
def names_of_labels_are_irrelevant(loss):
    """Any integers will do; with prototypes, their rows are renamed along."""
    if "prototypes" in loss.tensors:
        order = np.array([3, 0, 4, 1, 2])
        renamed = value_and_gradients(
            loss, labels=np.argsort(order)[LABELS], prototypes=given(loss)["prototypes"][order]
        )
        value, gradients = value_and_gradients(loss)
        assert_same(renamed, (value, [gradients[0], gradients[1][order]]))
    else:
        renamed = value_and_gradients(loss, labels=2**53 + 7 - 3 * LABELS)
        assert_same(renamed, value_and_gradients(loss))


@check
def rotation_is_irrelevant(loss):
    """The space is turned, with the prototypes if there are any."""
    turned = {name: value @ ROTATION for name, value in given(loss).items() if name == "prototypes"}
    value, gradients = value_and_gradients(loss)
    found = value_and_gradients(loss, ROWS @ ROTATION, **turned)
    assert_same(found, (value, [gradient @ ROTATION for gradient in gradients]), rtol=1e-3)


@check
def float_labels_are_refused(loss):
    try:
        value_and_gradients(loss, labels=LABELS.astype(np.float32), jit=False)
    except ValueError as error:
        assert "labels must be integers" in str(error)
    else:
        raise AssertionError("float labels were taken")


@check(where=lambda loss: "margin" in loss.options, otherwise="it has no margin")
def wider_margins_never_cost_less(loss):
    """The loss rises, or stays, as the margin does; the twins hold its values."""
    widest = 4.0 if loss.name == "sphereface" else 1.5  # a factor there
    margins = np.linspace(1.0, widest, 3) if loss.name == "sphereface" else (0.0, 0.3, widest)
    options = {**TWINS[loss.title].variants[0]}
    values = [
        value_and_gradients(loss, jit=False, options={**options, "margin": float(margin)})[0]
        for margin in margins
    ]
    assert values[0] < values[-1]
    assert values == sorted(values)


@check(where=lambda loss: "seed" in loss.tensors, otherwise="nothing is drawn at random")
def draws_are_those_of_the_seed(loss):
    """With and without XLA; what they are distributed as, the loss's own tests hold."""
    seeds = [np.array([number, 1], np.int32) for number in range(8)]
    values = [
        [value_and_gradients(loss, jit=jit, seed=seed)[0] for seed in seeds]
        for jit in (True, False, False)
    ]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-5)
    assert values[1] == values[2]
    assert len(set(values[1])) > 4


@check(where=lambda loss: "state" in loss.tensors, otherwise="it keeps nothing between steps")
def state_goes_in_and_comes_out(loss):
    """Of the shape that it starts with, moved by the batch, the same with XLA, without gradient."""
    state = loss.initial_state(len(LABELS), SIZE)
    tensors = {name: _tensor(value, tf.float32) for name, value in given(loss).items()}

    def step(rows, state):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            moved = loss.function(rows, tf.constant(LABELS), **{**tensors, "state": state})[1]
        return moved, tape.gradient(moved, rows)

    outcomes = [
        tf.function(step, jit_compile=jit)(_tensor(ROWS, tf.float32), state)
        for jit in (True, False)
    ]
    for moved, gradient in outcomes:
        assert moved.shape == state.shape and moved.dtype == state.dtype
        assert np.any(moved.numpy() != state.numpy())
        assert gradient is None
    np.testing.assert_allclose(*(moved.numpy() for moved, _ in outcomes), rtol=1e-5, atol=1e-6)


@check(
    where=lambda loss: "memory" in loss.tensors,
    otherwise="it compares with prototypes or the batch alone: it takes no memory",
)
def memory_goes_in(loss):
    """Half of the rows as the memory of the other half: it is compared with, in any order of its
    slots, the same with XLA. That it is the joint batch, test_memory holds."""
    half = len(ROWS) // 2
    rows, labels = tf.constant(ROWS[:half], tf.float32), tf.constant(LABELS[:half])
    tensors = {name: _tensor(value, tf.float32) for name, value in given(loss).items()}

    def mean(memory, jit=False):
        def compute(rows, memory):
            return mean_loss(loss.function(rows, labels, memory=memory, **tensors))

        return float(tf.function(compute, jit_compile=jit)(rows, memory))

    def memory_of(order):
        return Memory(
            embeddings=tf.constant(ROWS[order], tf.float32),
            labels=tf.constant(LABELS[order]),
            sources=tf.constant(order),
            filled=tf.fill([half], True),
        )

    filled = memory_of(np.arange(half, len(ROWS)))
    found = mean(filled)
    assert abs(found - mean(None)) > 1e-4
    np.testing.assert_allclose(mean(filled, jit=True), found, rtol=1e-5)
    if "seed" not in loss.tensors and loss.name != "n_pairs":  # whose first row of a class counts
        np.testing.assert_allclose(
            mean(memory_of(np.arange(len(ROWS))[: half - 1 : -1])), found, rtol=1e-5
        )


if importlib.util.find_spec("tensorflow_addons") is None:
    NOT_APPLICABLE |= {
        (title, name): "computed by TensorFlow Addons, which is not installed here"
        for title in ("tfa_hard", "tfa_semihard")
        for name in CHECKS
        if name != "float_labels_are_refused"
    }
