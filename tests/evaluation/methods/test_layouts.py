import importlib.util

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.methods import layouts
from facenet_tf.evaluation.options.projection import ProjectionOptions

from ..made_up import people_vectors

needs_umap = pytest.mark.skipif(
    importlib.util.find_spec("umap") is None, reason="needs the extra `umap`"
)
METHODS = [
    pytest.param(name, marks=[needs_umap, pytest.mark.slow] if name == "umap" else [])
    for name in layouts.LAYOUTS
]


@pytest.mark.parametrize("method", METHODS)
def test_people_are_islands(method):
    vectors = people_vectors(people=3, pictures=12, spread=0.05)
    layout = layouts.LAYOUTS[method][1]
    places = layout(vectors.values, 0)
    assert places.shape == (36, 2)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    names = vectors.roster.identities
    assert (names[apart.argmin(axis=1)] == names).all()
    np.testing.assert_allclose(places, layout(vectors.values, 0))


@pytest.mark.parametrize("method", METHODS)
def test_as_few_points_as_are_ever_drawn(method):
    vectors = people_vectors(people=1, pictures=layouts.FEWEST_POINTS + 1)
    assert np.isfinite(layouts.LAYOUTS[method][1](vectors.values, 0)).all()


def test_widest_directions_are_those_of_scikit_learn():
    from sklearn.decomposition import PCA

    vectors = people_vectors().values
    expected = PCA(2).fit_transform(vectors.astype(float))
    found = layouts.pca(vectors, 0)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-6)


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"facenet-tf\[umap\]"):
        ProjectionOptions(("umap",)).check()
    ProjectionOptions(("pca", "tsne")).check()
