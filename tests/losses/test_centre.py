import numpy as np
import tensorflow as tf

from facenet_tf.losses import centre

from .twins.centres import moved_centres

RANDOM = np.random.default_rng(3)
ROWS = RANDOM.normal(size=(7, 4))
CENTRES = RANDOM.normal(size=(5, 4))
LABELS = np.array([0, 3, 3, 1, 3, 0, 1])


def run(rows=ROWS, labels=LABELS, centres=CENTRES, **options):
    return centre(
        tf.constant(rows, tf.float32),
        tf.constant(labels),
        state=tf.constant(centres, tf.float32),
        **options,
    )


def test_loss_is_half_the_squared_distance_to_the_centre_that_came_in():
    expected = [np.sum((x - CENTRES[y]) ** 2) / 2 for x, y in zip(ROWS, LABELS)]
    np.testing.assert_allclose(run()[0], expected, rtol=1e-5)


def test_centres_move_by_the_rule_of_the_paper(jit):
    for rate in (0.0, 0.3):
        moved = tf.function(lambda rate=rate: run(rate=rate)[1], jit_compile=jit)()
        np.testing.assert_allclose(moved, moved_centres(ROWS, LABELS, CENTRES, rate), rtol=1e-4)


def test_centres_of_absent_classes_stay():
    np.testing.assert_array_equal(run()[1].numpy()[[2, 4]], CENTRES[[2, 4]].astype(np.float32))


def test_centres_reach_the_means_of_their_classes():
    centres = CENTRES
    for _ in range(200):
        centres = run(centres=centres)[1].numpy()
    means = [ROWS[label == LABELS].mean(axis=0) for label in (0, 1, 3)]
    np.testing.assert_allclose(centres[[0, 1, 3]], means, rtol=1e-4, atol=1e-5)


def test_gradient_is_the_way_from_the_centre_and_reaches_the_embeddings_only():
    rows, centres = tf.constant(ROWS), tf.constant(CENTRES, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([rows, centres])
        loss, moved = centre(rows, tf.constant(LABELS), state=centres)
        total = tf.reduce_sum(loss) + tf.reduce_sum(moved)
    of_rows, of_centres = tape.gradient(total, [rows, centres])
    np.testing.assert_allclose(of_rows, ROWS - CENTRES[LABELS], rtol=1e-4, atol=1e-6)
    assert of_centres is None


def test_rotation_turns_the_centres_along():
    rotation = np.linalg.qr(RANDOM.normal(size=(4, 4)))[0]
    loss, moved = run(ROWS @ rotation, centres=CENTRES @ rotation)
    np.testing.assert_allclose(loss, run()[0], rtol=1e-4)
    np.testing.assert_allclose(moved, run()[1].numpy() @ rotation, rtol=1e-4, atol=1e-5)


def test_names_of_labels_move_the_centres_along():
    order = np.array([3, 0, 4, 1, 2])
    loss, moved = run(labels=np.argsort(order)[LABELS], centres=CENTRES[order])
    np.testing.assert_array_equal(loss, run()[0])
    np.testing.assert_array_equal(moved, run()[1].numpy()[order])
