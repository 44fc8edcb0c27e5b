import numpy as np
import pytest

from facenet_tf.metrics.multiple import holm


def test_example_by_hand():
    # sorted 0.01, 0.02, 0.03, 0.04: times 4, 3, 2, 1 and never less than the one before
    np.testing.assert_allclose(holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])


def test_one_test_needs_no_adjustment_and_none_gives_none():
    assert holm([0.04]).tolist() == [0.04]
    assert holm([]).tolist() == []


def test_decisions_are_those_of_the_step_down_rule():
    random = np.random.default_rng(0)
    for _ in range(50):
        values = random.random(6) ** 3
        order, rejected = np.argsort(values), np.zeros(6, bool)
        for step, index in enumerate(order):
            if values[index] > 0.05 / (6 - step):
                break
            rejected[index] = True
        np.testing.assert_array_equal(holm(values) <= 0.05, rejected)


def test_never_above_one():
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("values", [[1.2], [-0.1], [np.nan], [[0.1]]])
def test_no_p_values_are_refused(values):
    with pytest.raises(ValueError, match="p-values"):
        holm(values)
