import io

import numpy as np
import pytest
from matplotlib.image import imread

from facenet_tf.evaluation.methods import plots
from facenet_tf.metrics import roc_curve


def png(figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, metadata={"Software": None})
    return file.getvalue()


def has_ink(figure) -> bool:
    return len(np.unique(imread(io.BytesIO(png(figure))).reshape(-1, 4), axis=0)) > 2


@pytest.mark.parametrize(
    "distance",
    [[0.1, 0.4, 0.3, 0.9], [0.1, 0.2, 0.8, 0.9], [1.0] * 4, [0.1, np.inf, -np.inf, 0.5]],
    ids=["overlapping", "separated", "equal", "infinite"],
)
def test_curves_and_histograms_of_any_list(distance):
    genuine = np.array([True, True, False, False])
    curves = {"network": roc_curve(genuine, distance)}
    assert has_ink(plots.roc(curves))
    assert has_ink(plots.det(curves))
    assert has_ink(plots.distances(genuine, np.array(distance), "title"))


def test_same_figures_give_the_same_bytes():
    first, second = (plots.confusion([[3, 1], [0, 2]], ["Ann", "Bob"]) for _ in range(2))
    assert png(first) == png(second)


def test_points_in_the_plane():
    people = np.array(list("aabbcc"))
    assert has_ink(plots.plane(np.arange(12.0).reshape(6, 2), people, "title"))


def test_drawing_leaves_pyplot_alone():
    import matplotlib.pyplot as plt

    png(plots.confusion([[1]], ["Ann"]))
    assert plt.get_fignums() == []
