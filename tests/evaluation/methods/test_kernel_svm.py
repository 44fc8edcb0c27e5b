import numpy as np
import pytest
from sklearn.svm import SVC

from facenet_tf.evaluation.methods.kernel_svm import KernelSvm


def data(kind):
    random = np.random.default_rng(3)
    features = random.normal(size=(60, 5)) + np.repeat(random.normal(size=(3, 5)), 20, axis=0)
    if kind == "narrow cone":
        features = np.array([10.0, 0, 0, 0, 0]) + 0.1 * features
    if kind == "duplicates":
        features = np.repeat(features[::2], 2, axis=0)
    return features.astype(np.float32), np.repeat(["a", "b", "c"], 20)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("c", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("kind", ["spread", "narrow cone", "duplicates"])
def test_predicts_as_the_plain_svc(kind, c, kernel):
    features, targets = data(kind)
    order = np.random.default_rng(0).permutation(60)
    train, test = order[:45], order[45:]
    expected = SVC(C=c, kernel=kernel).fit(features[train], targets[train])
    found = KernelSvm(features, targets).predict(train, test, c, kernel)
    np.testing.assert_array_equal(found, expected.predict(features[test]))


def test_equal_vectors_do_not_divide_by_zero():
    machine = KernelSvm(np.zeros((4, 2), np.float32), np.array(list("aabb")))
    assert machine.accuracy(np.array([0, 2]), np.array([1, 3])) == 0.5
