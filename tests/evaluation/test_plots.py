import numpy as np
import pytest
from matplotlib.image import imread

from facenet_tf.evaluation import plots
from facenet_tf.metrics import roc_curve


def has_ink(path) -> bool:
    return len(np.unique(imread(path).reshape(-1, 4), axis=0)) > 2


@pytest.mark.parametrize(
    "distance",
    [[0.1, 0.4, 0.3, 0.9], [0.1, 0.2, 0.8, 0.9], [1.0] * 4, [0.1, np.inf, -np.inf, 0.5]],
    ids=["overlapping", "separated", "equal", "infinite"],
)
def test_curves_and_histograms_of_any_list(distance, tmp_path):
    genuine = np.array([True, True, False, False])
    curves = {"network": roc_curve(genuine, distance)}
    plots.plot_roc(curves, tmp_path / "roc.png")
    plots.plot_det(curves, tmp_path / "det.png")
    plots.plot_distances(genuine, np.array(distance), "title", tmp_path / "distances.png")
    assert all(has_ink(path) for path in tmp_path.iterdir())


def test_same_figures_give_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        plots.plot_confusion([[3, 1], [0, 2]], ["Ann", "Bob"], tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_tsne_of_few_points(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    plots.plot_tsne(vectors, np.array(list("aabbcc")), 0, tmp_path / "tsne.png")
    assert has_ink(tmp_path / "tsne.png")


def test_drawing_leaves_pyplot_alone(tmp_path):
    import matplotlib.pyplot as plt

    plots.plot_confusion([[1]], ["Ann"], tmp_path / "c.png")
    assert plt.get_fignums() == []
