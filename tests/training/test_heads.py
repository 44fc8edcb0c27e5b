"""The head of a stage: the sum it computes, and what it keeps from step to step."""

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.losses import find_loss, losses, mean_loss
from facenet_tf.training.config import Stage
from facenet_tf.training.heads import Mixed, build_head, check_head

from ..losses.twins.margins import margin_losses

SIZE, PEOPLE, EACH = 8, 4, 3
ROWS = tf.math.l2_normalize(tf.random.stateless_normal([PEOPLE * EACH, SIZE], [1, 2]), axis=1)
NORMS = tf.linspace(1.0, 9.0, PEOPLE * EACH)
LABELS = tf.repeat(tf.range(PEOPLE), EACH)
SOURCES = tf.range(PEOPLE * EACH)
BATCH = (ROWS, NORMS, LABELS, SOURCES)


def head_of(loss, **stage):
    return build_head(Stage(loss, epochs=1, **stage), PEOPLE, SIZE, seed=3)


@pytest.mark.parametrize("title", [loss.title for loss in losses()])
def test_every_loss_can_be_trained_with(title):
    """Its gradient reaches the embeddings and, where it has them, the prototypes; one loss of each
    kind of head with XLA, which takes seconds to compile and is held for each loss by itself."""
    if title.startswith("tfa_"):
        pytest.importorskip("tensorflow_addons")
    head = head_of(title)

    def step(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            loss, health = head.objective(rows, NORMS, LABELS, SOURCES)
        return loss, health, tape.gradient(loss, [rows, *head.trainable_variables])

    if title in ("cosface", "adaface", "triplet/distance_weighted"):
        step = tf.function(step, jit_compile=True)
    loss, health, gradients = step(ROWS)
    assert np.isfinite(loss) and loss > 0
    assert health["effective_rank"] > 1
    for gradient in gradients:
        assert np.all(np.isfinite(gradient)) and np.any(gradient != 0)


def test_a_sum_is_the_sum_of_its_losses():
    both = head_of("triplet/batch_hard + 0.25*cosface", options={"cosface.scale": 8.0})
    triplets = mean_loss(find_loss("triplet", "batch_hard").function(ROWS, LABELS))
    softmax = mean_loss(
        find_loss("cosface").function(ROWS, LABELS, tf.constant(both.prototypes[1]), scale=8.0)
    )
    found, _ = both.objective(*BATCH)
    np.testing.assert_allclose(found, triplets + 0.25 * softmax, rtol=1e-5)


def largest_tensor(head, count):
    """Elements of the largest tensor of a step on so many embeddings, loops and gradient too."""

    @tf.function
    def step(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            labels = tf.range(count) // EACH
            loss, health = head.objective(rows, tf.ones(count), labels, tf.range(count))
        return loss, health, tape.gradient(loss, rows)

    graph = step.get_concrete_function(tf.TensorSpec([count, SIZE], tf.float32)).graph
    graphs = [graph, *(each.graph for each in graph._functions.values() if hasattr(each, "graph"))]
    shapes = [out.shape for each in graphs for op in each.get_operations() for out in op.outputs]
    return max(shape.num_elements() or 0 for shape in shapes)


@pytest.mark.parametrize(
    "title", ["triplet/batch_hard", "contrastive/batch_hard", "cosface + triplet/batch_hard"]
)
def test_in_tiles_no_step_has_the_matrix_of_a_batch(title):
    option = "triplet.tile" if "cosface" in title else "tile"
    whole = largest_tensor(head_of(title), 120)
    tiled = largest_tensor(head_of(title, options={option: 16}), 120)
    assert whole >= 120 * 120
    assert tiled <= 128 * 16


@pytest.mark.parametrize("title", ["triplet/batch_hard", "contrastive/batch_hard"])
def test_tiles_change_no_figure(title):
    whole, tiled = (head_of(title, options=options) for options in ({}, {"tile": 5}))
    (loss, health), (found, shown) = whole.objective(*BATCH), tiled.objective(*BATCH)
    np.testing.assert_allclose(found, loss, rtol=1e-6)
    for name, figure in health.items():
        np.testing.assert_allclose(shown[name], figure, rtol=1e-5, err_msg=name)


def test_every_stage_shows_the_hardest_triplets():
    """Whatever is learned from, or compared with besides the batch."""
    _, expected = head_of("triplet/batch_hard").objective(*BATCH)
    for stage in (
        {"loss": "triplet/hard_positive_semi_hard_negative"},
        {"loss": "cosface"},
        {"loss": "triplet/batch_hard", "memory": 9},
    ):
        _, found = head_of(**stage).objective(*BATCH)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-6, err_msg=name)


def test_random_mining_differs_from_step_to_step_and_is_that_of_its_seed():
    def three_steps():
        head = head_of("triplet/distance_weighted")
        return [float(head.objective(*BATCH)[0]) for _ in range(3)]

    first = three_steps()
    assert len(set(first)) == 3
    assert three_steps() == first


def test_memory_brings_back_the_batch_before():
    head = head_of("triplet/batch_hard", memory=PEOPLE * EACH)
    alone, _ = head.objective(*BATCH)
    np.testing.assert_allclose(alone, head_of("triplet/batch_hard").objective(*BATCH)[0], rtol=1e-6)
    # People nearer than anybody in the batch, whom only the memory knows.
    strangers = (ROWS + 0.01, NORMS, LABELS + PEOPLE, SOURCES + 100)
    head.objective(*strangers)
    remembered, _ = head.objective(*BATCH)
    assert remembered > alone + 0.1


def test_state_moves_on():
    head = head_of("centre")
    before = [part.numpy() for part in tf.nest.flatten(head.states[0])]
    losses_of_steps = [float(head.objective(*BATCH)[0]) for _ in range(4)]
    after = [part.numpy() for part in tf.nest.flatten(head.states[0])]
    assert any(np.any(one != other) for one, other in zip(before, after, strict=True))
    assert losses_of_steps == sorted(losses_of_steps, reverse=True)


def test_what_is_kept_survives_a_checkpoint(tmp_path):
    def head():
        return head_of("triplet/distance_weighted + 0.1*centre + adaface", memory=16)

    trained = head()
    for _ in range(2):
        trained.objective(*BATCH)
    path = tf.train.Checkpoint(head=trained).save(str(tmp_path / "kept"))
    resumed = head()
    tf.train.Checkpoint(head=resumed).restore(path).assert_consumed()
    assert float(resumed.objective(*BATCH)[0]) == float(trained.objective(*BATCH)[0])


def small(**options) -> Stage:
    """CosFace on batches that 20 classes hold."""
    return Stage("cosface", epochs=1, identities_per_batch=5, **options)


def test_sampled_classes_leave_other_prototypes_alone():
    head = build_head(small(sampled_classes=20), 100, SIZE, seed=0)
    with tf.GradientTape() as tape:
        loss, _ = head.objective(*BATCH)
    (gradient,) = tape.gradient(loss, head.trainable_variables)
    rows = np.flatnonzero(np.any(tf.convert_to_tensor(gradient).numpy() != 0, axis=1))
    assert set(range(PEOPLE)) <= set(rows.tolist()) and len(rows) == 20


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ({"loss": "triplet/batch_hard"}, np.log(2)),
        ({"loss": "triplet/batch_hard", "margin": 0.3}, 0.3),
        ({"loss": "2*triplet/batch_hard + triplet/batch_all"}, 3 * np.log(2)),
    ],
)
def test_the_loss_of_a_collapsed_batch_is_a_constant(stage, expected):
    assert head_of(**stage).collapsed_loss(PEOPLE, EACH) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_a_collapsed_batch_depends_on_the_prototypes():
    assert head_of("cosface").collapsed_loss(PEOPLE, EACH) is None


@pytest.mark.parametrize(("scale", "reason"), [(0.0, "must be above 0"), (np.inf, "it is nan")])
def test_options_under_which_a_loss_is_no_number_are_refused(scale, reason):
    with pytest.raises(InputError, match=f"--main.loss cosface .*{reason}"):
        check_head(Stage("cosface", epochs=1, scale=scale), "main.")


def mixed_loss_of(function, shares, others):
    """A twin in NumPy: each picture's loss by its own label and by the other, in their shares."""
    rows, labels = ROWS.numpy().astype(float), LABELS.numpy()
    own = function(rows, labels)
    other = function(rows, labels[others])
    return float(np.mean(shares * own + (1 - shares) * other))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("sampled_classes", [0, 20])
def test_mixed_pictures_have_both_labels_in_their_shares(jit, sampled_classes):
    classes = 20
    stage = small(scale=8.0, margin=0.2, sampled_classes=sampled_classes)
    head = build_head(stage, classes, SIZE, seed=3)
    prototypes = head.trainable_variables[0].numpy().astype(float)
    others = np.random.default_rng(0).permutation(PEOPLE * EACH)
    shares = np.linspace(0.5, 1.0, PEOPLE * EACH).astype(np.float32)
    mixed = Mixed(tf.gather(LABELS, others), tf.constant(shares))

    def cosface(rows, labels):
        return np.array(
            margin_losses(rows, labels, prototypes, 8.0, lambda angle: np.cos(angle) - 0.2)
        )

    objective = tf.function(head.objective, jit_compile=jit)
    found, _ = objective(*BATCH, mixed)
    np.testing.assert_allclose(found, mixed_loss_of(cosface, shares, others), rtol=1e-5)


def test_pictures_that_are_all_their_own_are_as_without_mixing():
    whole = Mixed(tf.reverse(LABELS, [0]), tf.ones(PEOPLE * EACH))
    plain, _ = head_of("adaface").objective(*BATCH)
    mixed, _ = head_of("adaface").objective(*BATCH, whole)
    np.testing.assert_allclose(mixed, plain, rtol=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_signatures_are_the_means_of_the_last_turn(jit):
    head = build_head(
        Stage("cosface", epochs=1, sampling=Sampling(hard=0.5)), PEOPLE + 2, SIZE, seed=3
    )
    objective = tf.function(head.objective, jit_compile=jit)
    objective(-ROWS, *BATCH[1:])
    objective(*BATCH)
    means = ROWS.numpy().reshape(PEOPLE, EACH, SIZE).mean(1)
    found = tf.convert_to_tensor(head.signatures).numpy()
    np.testing.assert_allclose(found[:PEOPLE], means, atol=1e-6)
    assert (found[PEOPLE:] == 0).all()  # who had no turn
    assert build_head(Stage("cosface", epochs=1), PEOPLE, SIZE, seed=3).signatures is None
