import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import batch_hard_triplet, collapsed_loss, mean_loss

from .conformance import FIXTURES, VECTORS, fixture_rows
from .twin import batch_hard, finite_differences, unit

LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 1])
SOURCES = np.array([0, 0, 1, 2, 3, 4, 5, 4, 6, 7])
ROWS = unit(np.random.default_rng(3).normal(size=(10, 4)))
MARGINS = pytest.mark.parametrize("margin", [0.2, "soft"])
DISTANCES = pytest.mark.parametrize("distance", ["plain", "squared", "cosine"])


def value_and_gradient(rows, labels, jit, sources=None, dtype=tf.float32, **options):
    """Mean loss over valid anchors as a number, and its gradient."""

    @tf.function(jit_compile=jit)
    def compute(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            result = batch_hard_triplet(
                rows,
                tf.constant(labels),
                sources=None if sources is None else tf.constant(sources),
                **options,
            )
            loss = mean_loss(result)
        return loss, tape.gradient(loss, rows)

    loss, gradient = compute(tf.constant(rows, dtype))
    return float(loss), gradient.numpy()


def mined(rows, labels, **options):
    result = batch_hard_triplet(tf.constant(rows, tf.float32), tf.constant(labels), **options)
    return {name: value.numpy() for name, value in result._asdict().items()}


class TestConformance:
    @pytest.mark.parametrize("fixture", VECTORS["triplet"])
    @pytest.mark.parametrize(
        ("key", "margin", "anchors"),
        [
            ("batch_hard_valid_anchors_only", 0.2, "valid"),
            ("tfa_hard", 0.2, "all"),
            ("tfa_hard_soft", "soft", "all"),
        ],
    )
    def test_value(self, fixture, key, margin, anchors):
        expected = VECTORS["triplet"][fixture]
        rows, labels, distance = fixture_rows(fixture)
        options = {"margin": margin, "anchors": anchors, "distance": distance}
        result = mined(rows, labels, **options)
        loss = result["loss"].sum() / result["valid"].sum()
        assert loss == pytest.approx(expected[key], rel=1e-6)
        if anchors == "valid":
            assert result["valid"].sum() == expected["n_valid_anchors"]

    @pytest.mark.parametrize("fixture", ["arange9", "angles"])
    def test_mined_pairs(self, fixture):
        miner = VECTORS["pml_batch_hard_miner"]
        rows, labels = FIXTURES[fixture]
        assert list(labels) == miner["labels"]
        result = mined(rows, labels, margin=0.2)
        anchors = np.flatnonzero(result["valid"])
        assert list(anchors) == miner["a"]
        farthest = np.linalg.norm(rows[anchors] - rows[miner["p"]], axis=1)
        np.testing.assert_allclose(result["hardest_positive"][anchors], farthest, rtol=1e-6)
        for negatives in miner["n_any_of"]:
            nearest = np.linalg.norm(rows[anchors] - rows[negatives], axis=1)
            np.testing.assert_allclose(result["hardest_negative"][anchors], nearest, rtol=1e-6)


class TestTwin:
    @MARGINS
    @DISTANCES
    @pytest.mark.parametrize(
        ("anchors", "sources"), [("valid", None), ("valid", SOURCES), ("all", SOURCES)]
    )
    def test_value_and_gradient(self, margin, distance, anchors, sources, jit):
        options = {"margin": margin, "distance": distance, "anchors": anchors, "sources": sources}

        def expected(rows):
            return batch_hard(rows, LABELS, **options)[0]

        loss, gradient = value_and_gradient(ROWS, LABELS, jit, **options)
        assert loss == pytest.approx(expected(ROWS), rel=1e-5)
        np.testing.assert_allclose(gradient, finite_differences(expected, ROWS), atol=1e-5)

    @DISTANCES
    def test_hardest_distances(self, distance):
        result = mined(ROWS, LABELS, margin=0.2, distance=distance)
        _, hardest = batch_hard(ROWS, LABELS, 0.2, distance)
        pairs = np.stack([result["hardest_positive"], result["hardest_negative"]], axis=1)
        np.testing.assert_allclose(pairs[result["valid"]], hardest, rtol=1e-5)

    def test_near_duplicates_keep_their_distances(self, jit):
        """Distances of 1e-4 between unit vectors, where a Gram matrix in float32 gives noise."""
        tangent = np.random.default_rng(4).normal(size=ROWS.shape)
        rows = np.concatenate([ROWS, ROWS + 1e-4 * tangent]).astype(np.float32)
        labels = np.tile(np.arange(10), 2)
        result = mined(rows, labels, margin="soft")
        _, hardest = batch_hard(rows.astype(np.float64), labels, "soft")
        np.testing.assert_allclose(
            result["hardest_positive"], [positive for positive, _ in hardest], rtol=1e-5
        )


class TestDegenerate:
    @MARGINS
    @DISTANCES
    @pytest.mark.parametrize(
        ("rows", "labels"),
        [
            (ROWS, np.zeros(10, int)),
            (ROWS, np.arange(10)),
            (ROWS[:1], np.zeros(1, int)),
        ],
        ids=["one class", "all distinct", "one row"],
    )
    def test_nothing_to_compare(self, rows, labels, margin, distance, jit):
        loss, gradient = value_and_gradient(rows, labels, jit, margin=margin, distance=distance)
        assert loss == 0
        np.testing.assert_array_equal(gradient, 0)

    @MARGINS
    @DISTANCES
    @pytest.mark.parametrize(
        "rows", [np.zeros((10, 4)), np.tile(ROWS[:1], (10, 1))], ids=["zero", "equal"]
    )
    def test_collapse(self, rows, margin, distance, jit):
        loss, gradient = value_and_gradient(rows, LABELS, jit, margin=margin, distance=distance)
        assert loss == pytest.approx(0.2 if margin == 0.2 else np.log(2), rel=1e-6)
        assert loss == pytest.approx(collapsed_loss(margin))
        np.testing.assert_array_equal(gradient, 0)

    @MARGINS
    @DISTANCES
    def test_duplicates_within_and_across_classes(self, margin, distance, jit):
        rows = ROWS[[0, 0, 1, 1, 2, 3, 3, 4, 5, 0]]
        options = {"margin": margin, "distance": distance}
        loss, gradient = value_and_gradient(rows, LABELS, jit, **options)
        assert loss == pytest.approx(batch_hard(rows, LABELS, **options)[0], rel=1e-5)
        assert np.all(np.isfinite(gradient))
        assert np.any(gradient != 0)

    def test_invalid_anchors_have_no_loss(self):
        result = mined(ROWS, LABELS, margin="soft")
        np.testing.assert_array_equal(result["valid"], LABELS != 3)
        assert np.all(result["loss"][~result["valid"]] == 0)
        assert np.all(result["loss"][result["valid"]] > 0)

    def test_nan_is_not_hidden(self, jit):
        rows = ROWS.copy()
        rows[4, 1] = np.nan
        assert np.isnan(value_and_gradient(rows, LABELS, jit, margin=0.2)[0])

    @pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64])
    def test_any_floating_type_is_computed_in_float32(self, dtype, jit):
        rows = tf.cast(tf.constant(ROWS), dtype)
        expected, _ = batch_hard(tf.cast(rows, tf.float64).numpy(), LABELS, "soft")
        loss, gradient = value_and_gradient(rows, LABELS, jit, dtype=dtype, margin="soft")
        assert loss == pytest.approx(expected, rel=1e-5)
        assert gradient.dtype == dtype.as_numpy_dtype
        assert batch_hard_triplet(rows, tf.constant(LABELS), margin=0.2).loss.dtype == tf.float32


class TestInvariance:
    @pytest.fixture
    def reference(self):
        return mined(ROWS, LABELS, margin="soft", sources=tf.constant(SOURCES))

    def test_permutation(self, reference):
        order = np.random.default_rng(5).permutation(10)
        sources = tf.constant(SOURCES[order])
        permuted = mined(ROWS[order], LABELS[order], margin="soft", sources=sources)
        for name, values in reference.items():
            np.testing.assert_allclose(permuted[name], values[order], rtol=1e-5, err_msg=name)

    def test_names_of_labels(self, reference):
        renamed = mined(ROWS, 7 - 3 * LABELS, margin="soft", sources=tf.constant(SOURCES))
        for name, values in reference.items():
            np.testing.assert_array_equal(renamed[name], values, err_msg=name)

    def test_rotation(self, reference):
        rotation, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(4, 4)))
        rotated = mined(ROWS @ rotation, LABELS, margin="soft", sources=tf.constant(SOURCES))
        np.testing.assert_allclose(rotated["loss"], reference["loss"], rtol=1e-5)

    def test_labels_beyond_float_precision(self, jit):
        """2^24 and 2^24 + 1 are one number in float32, 2^53 and 2^53 + 1 in float64."""
        expected, _ = batch_hard(ROWS, LABELS, "soft")
        for first in (2**24, 2**53):
            loss, _ = value_and_gradient(ROWS, first + LABELS, jit, margin="soft")
            assert loss == pytest.approx(expected, rel=1e-5)


class TestSources:
    def test_same_picture_twice_is_no_positive(self):
        labels, sources = np.array([0, 0, 1]), np.array([5, 5, 6])
        assert mined(ROWS[:3], labels, margin=0.2)["valid"].tolist() == [True, True, False]
        result = mined(ROWS[:3], labels, margin=0.2, sources=tf.constant(sources))
        assert not result["valid"].any()

    def test_other_label_is_a_negative_whatever_its_source(self):
        labels, sources = np.array([0, 0, 1]), np.array([5, 6, 5])
        result = mined(ROWS[:3], labels, margin=0.2, sources=tf.constant(sources))
        expected, hardest = batch_hard(ROWS[:3], labels, 0.2)
        assert result["hardest_negative"][0] == pytest.approx(hardest[0][1], rel=1e-5)
        assert result["loss"][:2].mean() == pytest.approx(expected, rel=1e-5)


class TestErrors:
    def test_float_labels(self):
        with pytest.raises(ValueError, match="labels must be integers, not float32"):
            batch_hard_triplet(tf.constant(ROWS), tf.zeros(10), margin=0.2)

    def test_shapes(self):
        with pytest.raises(ValueError, match="sources have shape"):
            mined(ROWS, LABELS, margin=0.2, sources=tf.constant(SOURCES[:9]))
        with pytest.raises(ValueError, match="rank"):
            batch_hard_triplet(tf.zeros([3]), tf.zeros([3], tf.int32), margin=0.2)

    @pytest.mark.parametrize(
        "wrong", [{"margin": "hard"}, {"margin": -0.1}, {"margin": 0.2, "anchors": "some"}]
    )
    def test_options(self, wrong):
        with pytest.raises(ValueError, match="must be"):
            mined(ROWS, LABELS, **wrong)
