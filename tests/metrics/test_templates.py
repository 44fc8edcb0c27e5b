import numpy as np
import pytest

from facenet_tf.metrics import pooled_templates


def twin(vectors, template, medium, quality):
    """One template and one medium at a time."""
    result = {}
    for number in sorted(set(template)):
        media = {}
        for vector, whose, source, weight in zip(vectors, template, medium, quality):
            if whose == number and not np.isnan(vector).any():
                media.setdefault(source, []).append(weight * vector)
        total = sum((np.mean(rows, axis=0) for rows in media.values()), np.zeros(vectors.shape[1]))
        length = np.linalg.norm(total)
        result[number] = total / length if length else np.full(vectors.shape[1], np.nan)
    return result


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_slow_way(seed, weighted):
    random = np.random.default_rng(seed)
    count = 40
    vectors = random.normal(size=(count, 6))
    vectors[random.random(count) < 0.2] = np.nan
    template = random.integers(0, 9, count) * 7
    medium = np.array(["img/3", "frames/1", "frames/2"])[random.integers(0, 3, count)]
    quality = random.random(count) if weighted else None
    names, found = pooled_templates(vectors, template, medium, quality)
    expected = twin(vectors, template, medium, np.ones(count) if quality is None else quality)
    assert names.tolist() == list(expected)
    np.testing.assert_allclose(found, np.array(list(expected.values())), atol=1e-6)
    assert found.dtype == np.float32


def test_a_long_video_counts_as_one_photograph():
    photograph, frame = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    _, found = pooled_templates([photograph, *[frame] * 30], [0] * 31, ["a"] + ["v"] * 30)
    np.testing.assert_allclose(found, [[np.sqrt(0.5), np.sqrt(0.5)]], rtol=1e-6)


def test_quality_decides_between_pictures():
    vectors = np.eye(2)
    _, found = pooled_templates(vectors, [0, 0], ["a", "b"], [0.0, 0.5])
    np.testing.assert_array_equal(found, [[0, 1]])


def test_a_template_without_a_vector_is_nan():
    vectors = np.array([[np.nan, 1.0], [1.0, 0.0], [-1.0, 0.0]])
    names, found = pooled_templates(vectors, [5, 3, 3], ["a", "b", "c"])
    assert names.tolist() == [3, 5]
    assert np.isnan(found).all()


def test_the_same_medium_in_two_templates_is_two():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    _, found = pooled_templates(vectors, [0, 1], ["a", "a"])
    np.testing.assert_array_equal(found, vectors)


@pytest.mark.parametrize("quality", [[1.0], [1.0, -1.0], [1.0, np.nan]])
def test_bad_input_is_refused(quality):
    with pytest.raises(ValueError, match=r"length|finite"):
        pooled_templates(np.eye(2), [0, 0], ["a", "b"], quality)
