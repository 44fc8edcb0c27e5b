"""What the margins come to at their limits, and where one of them is another."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import (
    ADAFACE_START,
    adaface,
    arcface,
    combined_margin,
    cosface,
    normface,
    softmax,
    sphereface,
    subcentre_arcface,
)

from .twin import unit

RANDOM = np.random.default_rng(7)
ROWS = tf.constant(RANDOM.normal(size=(40, 3)), tf.float32)
PROTOTYPES = tf.constant(RANDOM.normal(size=(4, 3)), tf.float32)
LABELS = tf.constant(RANDOM.integers(0, 4, 40))


def one_centre(embeddings, labels, prototypes, **options):
    return subcentre_arcface(embeddings, labels, prototypes[:, None], **options)


def adaface_of_quality(quality, embeddings, labels, prototypes, **options):
    """AdaFace, all rows of one norm, that much above the running mean by its deviations."""
    norms = tf.fill(tf.shape(labels), 20.0 + 10.0 * quality)
    given = {"norms": norms, "state": tf.constant([20.0, 10.0 - 1e-3])}
    return adaface(
        embeddings, labels, prototypes, concentration=1.0, momentum=1.0, **given, **options
    )[0]


MIDDLE, LOW, HIGH = (functools.partial(adaface_of_quality, quality) for quality in (0, -1, 1))

WITHOUT_MARGIN = {
    "normface": normface,
    "cosface": functools.partial(cosface, margin=0.0),
    "arcface": functools.partial(arcface, margin=0.0),
    "sphereface": functools.partial(sphereface, margin=1.0),
    "combined_margin": functools.partial(combined_margin, factor=1.0, angle=0.0, margin=0.0),
    "subcentre_arcface": functools.partial(one_centre, margin=0.0),
    "adaface": functools.partial(HIGH, margin=0.0),
}


@pytest.mark.parametrize("name", WITHOUT_MARGIN)
def test_without_margin_it_is_the_softmax_of_keras(name):
    found = WITHOUT_MARGIN[name](ROWS, LABELS, PROTOTYPES, scale=10.0)
    logits = 10 * unit(ROWS.numpy()) @ unit(PROTOTYPES.numpy()).T
    expected = tf.keras.losses.sparse_categorical_crossentropy(LABELS, logits, from_logits=True)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_plain_softmax_is_that_of_keras_over_inner_products():
    found = softmax(ROWS, LABELS, PROTOTYPES)
    logits = ROWS @ tf.transpose(PROTOTYPES)
    expected = tf.keras.losses.sparse_categorical_crossentropy(LABELS, logits, from_logits=True)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


FALLING = {
    "cosface": cosface,
    "arcface": arcface,
    "arcface, widest": functools.partial(arcface, margin=np.pi / 2),
    "sphereface": functools.partial(sphereface, annealing=0.0),
    "sphereface, 3": functools.partial(sphereface, margin=3.0, annealing=0.0),
    "sphereface, 1.35": functools.partial(sphereface, margin=1.35, annealing=0.0),
    "sphereface, annealed": sphereface,
    "combined_margin": combined_margin,
    "combined_margin, 3": functools.partial(combined_margin, factor=3.0, angle=0.5, margin=0.1),
    "combined_margin, 0.9": functools.partial(combined_margin, factor=0.9, angle=0.4, margin=0.15),
    "subcentre_arcface": one_centre,
    "adaface, low": LOW,
    "adaface, middle": MIDDLE,
    "adaface, high": HIGH,
}


@pytest.mark.parametrize("name", FALLING)
def test_loss_falls_with_the_cosine_all_the_way(name):
    """The other class is at a right angle to all rows: its logit stays."""
    angles = np.linspace(np.pi, 0, 400)
    rows = tf.constant(np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1), tf.float32)
    prototypes = tf.constant([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    losses = FALLING[name](rows, tf.zeros(400, tf.int32), prototypes, scale=2.0).numpy()
    assert np.all(np.diff(losses) <= 1e-6)
    if not name.startswith("adaface"):
        assert np.all(np.diff(losses[5:-15]) < 0), "flat where the angle still changes"
    assert losses[0] - losses[-1] > 1.5


EQUAL = {
    "arcface": (functools.partial(combined_margin, factor=1.0, angle=0.5, margin=0.0), arcface),
    "cosface": (functools.partial(combined_margin, factor=1.0, angle=0.0, margin=0.35), cosface),
    "sphereface": (
        functools.partial(combined_margin, factor=4.0, angle=0.0, margin=0.0),
        functools.partial(sphereface, annealing=0.0),
    ),
    "one sub-centre": (one_centre, arcface),
    "equal sub-centres": (
        lambda *given, **options: subcentre_arcface(
            *given[:2], tf.repeat(given[2][:, None], 3, axis=1), **options
        ),
        arcface,
    ),
    "middle quality": (functools.partial(MIDDLE, margin=0.35), cosface),
}


@pytest.mark.parametrize("name", EQUAL)
def test_one_loss_is_another(name):
    """The rows' angles to their prototypes are anything from 0 to pi."""
    one, other = (loss(ROWS, LABELS, PROTOTYPES, scale=16.0) for loss in EQUAL[name])
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_lowest_quality_is_arcface_while_the_widened_angle_is_below_pi():
    options = {"scale": 16.0, "margin": 0.5}
    cosines = np.sum(unit(ROWS.numpy()) * unit(tf.gather(PROTOTYPES, LABELS).numpy()), axis=1)
    below = cosines > np.cos(np.pi - 0.5)
    assert 20 < below.sum() < 40
    low, arc = (loss(ROWS, LABELS, PROTOTYPES, **options).numpy() for loss in (LOW, arcface))
    np.testing.assert_allclose(low[below], arc[below], rtol=1e-5, atol=1e-5)


def test_sphereface_takes_the_length_of_the_embedding_for_scale():
    rows = tf.math.l2_normalize(ROWS, axis=1)
    by_length = sphereface(6.0 * rows, LABELS, PROTOTYPES)
    fixed = sphereface(ROWS, LABELS, PROTOTYPES, scale=6.0)
    np.testing.assert_allclose(by_length, fixed, rtol=1e-4, atol=1e-5)


def test_sphereface_of_high_annealing_has_no_margin():
    annealed = sphereface(ROWS, LABELS, PROTOTYPES, scale=6.0, annealing=1e6)
    plain = normface(ROWS, LABELS, PROTOTYPES, scale=6.0)
    np.testing.assert_allclose(annealed, plain, rtol=1e-4, atol=1e-4)


def test_nearest_sub_centre_alone_gets_the_gradient():
    prototypes = tf.constant(RANDOM.normal(size=(4, 3, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(prototypes)
        loss = subcentre_arcface(ROWS[:1], LABELS[:1], prototypes, scale=4.0)
    gradient = tape.gradient(loss, prototypes).numpy()
    cosines = np.stack([unit(each) @ unit(ROWS[:1].numpy())[0] for each in prototypes.numpy()])
    moved = np.any(gradient != 0, axis=2)
    np.testing.assert_array_equal(moved, cosines == cosines.max(axis=1, keepdims=True))


def test_prototypes_without_sub_centres_are_refused():
    with pytest.raises(ValueError, match="rank 3"):
        subcentre_arcface(ROWS, LABELS, PROTOTYPES)


MARGINS = [cosface, arcface, sphereface, combined_margin, MIDDLE]


@pytest.mark.parametrize("loss", MARGINS, ids=["cosface", "arcface", "sphereface", "all", "ada"])
def test_margin_costs_one_tensor_of_all_classes_at_most(loss):
    """The margin is computed on the true cosines: no root or sine of every logit."""

    def large(loss):
        graph = tf.function(loss).get_concrete_function(ROWS, LABELS, PROTOTYPES, scale=8.0).graph
        return sum(
            output.shape == (40, 4) for op in graph.get_operations() for output in op.outputs
        )

    assert large(loss) <= large(normface) + 1


class TestAdaFace:
    NORMS = tf.constant(RANDOM.uniform(5, 40, 40), tf.float32)
    STATE = tf.constant([20.0, 10.0])

    def losses(self, norms=NORMS, state=STATE, order=slice(None), **options):
        rows, labels = ROWS.numpy()[order], LABELS.numpy()[order]
        return adaface(
            tf.constant(rows), tf.constant(labels), PROTOTYPES, norms=norms, state=state, **options
        )

    def test_state_follows_the_norms(self):
        state = self.losses(momentum=0.9)[1]
        expected = [
            0.9 * 20 + 0.1 * np.mean(self.NORMS),
            0.9 * 10 + 0.1 * np.std(self.NORMS, ddof=1),
        ]
        np.testing.assert_allclose(state, expected, rtol=1e-5)

    def test_state_ends_at_the_norms_figures_whatever_it_began_with(self):
        state = tf.constant(ADAFACE_START)
        for _ in range(100):
            state = self.losses(state=state, momentum=0.9)[1]
        expected = [np.mean(self.NORMS), np.std(self.NORMS, ddof=1)]
        np.testing.assert_allclose(state, expected, rtol=1e-2)

    def test_norms_move_with_their_rows(self):
        order = np.random.default_rng(5).permutation(40)
        moved = self.losses(tf.gather(self.NORMS, order), order=order)[0]
        np.testing.assert_allclose(moved, self.losses()[0].numpy()[order], rtol=1e-4, atol=1e-5)

    def test_better_pictures_of_small_angle_have_the_larger_margin(self):
        near = tf.gather(PROTOTYPES, LABELS) + 0.1 * ROWS
        low, high = (loss(near, LABELS, PROTOTYPES, scale=8.0).numpy() for loss in (LOW, HIGH))
        assert np.all(high > low)

    def test_no_gradient_through_norms_and_state(self):
        norms, state = self.NORMS, self.STATE
        with tf.GradientTape() as tape:
            tape.watch([norms, state])
            loss, moved = self.losses(norms, state)
            total = tf.reduce_sum(loss) + tf.reduce_sum(moved)
        assert tape.gradient(total, [norms, state]) == [None, None]

    def test_norms_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match=r"\(40,\)"):
            self.losses(self.NORMS[:-1])


@pytest.mark.parametrize("margin", [-0.1, 1.6])
@pytest.mark.parametrize("loss", [arcface, MIDDLE], ids=["arcface", "adaface"])
def test_a_margin_that_is_no_angle_to_add_is_refused(loss, margin):
    with pytest.raises(ValueError, match=f"an angle of {margin}"):
        loss(ROWS, LABELS, PROTOTYPES, margin=margin)
