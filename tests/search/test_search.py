"""Every kind of index against scikit-learn's neighbours."""

import importlib
import importlib.util

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from facenet_tf.errors import InputError
from facenet_tf.search import KINDS, Found, build_index, exact, faiss_index, index, recall

without_faiss = importlib.util.find_spec("faiss") is None
needs_faiss = pytest.mark.skipif(without_faiss, reason="needs the extra search")
EACH = [kind if kind == "exact" else pytest.param(kind, marks=needs_faiss) for kind in KINDS]
EXACT = [EACH[0], EACH[1]]


@pytest.fixture(autouse=True)
def one_thread():
    """Several wait for each other for minutes where the cores are busy."""
    if not without_faiss:
        importlib.import_module("faiss")
    with threadpool_limits(1):
        yield


def unit_rows(count, size=16, seed=0, people=200, spread=0.5):
    """Vectors in clouds, as embeddings are."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(people, size))[random.integers(0, people, count)]
    rows = rows + spread * random.normal(size=rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def truth_of(vectors, queries, k):
    neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(vectors.astype(np.float64))
    distances, rows = neighbours.kneighbors(queries.astype(np.float64))
    return Found(distances**2, rows)


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("k", [1, 7])
def test_exact_search_is_scikit_learns(kind, k, monkeypatch):
    monkeypatch.setattr(exact, "_ROWS_AT_ONCE", 300)
    monkeypatch.setattr(exact, "_QUERIES_AT_ONCE", 40)
    monkeypatch.setattr(faiss_index, "_ROWS_AT_ONCE", 300)
    vectors = unit_rows(2000)
    queries = np.concatenate([unit_rows(90, seed=1), vectors[:10]])
    found, truth = build_index(kind, vectors).search(queries, k), truth_of(vectors, queries, k)
    np.testing.assert_allclose(found.distances, truth.distances, atol=1e-9)
    np.testing.assert_array_equal(found.rows, truth.rows)
    assert found.distances[-1, 0] == 0


@pytest.mark.parametrize("kind", EACH)
def test_of_fewer_vectors_than_asked_for_the_rest_is_nothing(kind):
    found = build_index(kind, np.eye(3, dtype=np.float32)).search(np.eye(3, dtype=np.float32), 5)
    assert found.rows[0].tolist() == [0, 1, 2, -1, -1]
    assert found.distances[0].tolist() == [0, 2, 2, np.inf, np.inf]


@pytest.mark.parametrize("kind", EACH)
def test_no_queries(kind):
    found = build_index(kind, unit_rows(20)).search(np.zeros((0, 16), np.float32), 3)
    assert found.distances.shape == found.rows.shape == (0, 3)


@pytest.mark.parametrize("kind", EACH)
def test_no_vectors(kind):
    found = build_index(kind, np.zeros((0, 16), np.float32)).search(unit_rows(2), 3)
    assert (found.rows == -1).all() and (found.distances == np.inf).all()


@pytest.mark.parametrize("kind", EACH)
def test_vectors_on_the_disk_are_found_as_those_in_memory(kind, tmp_path):
    vectors, queries = unit_rows(3000), unit_rows(50, seed=2)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    found = build_index(kind, mapped).search(queries, 4)
    np.testing.assert_array_equal(found.rows, build_index(kind, vectors).search(queries, 4).rows)


@needs_faiss
@pytest.mark.parametrize("kind", ["hnsw", "ivf_pq"])
def test_approximate_search_finds_most_and_more_with_more_effort(kind, monkeypatch):
    monkeypatch.setattr(index, "FEWEST_APPROXIMATE", 1000)
    vectors, queries = unit_rows(1500), unit_rows(100, seed=3)
    truth = build_index("exact", vectors).search(queries, 5)
    built = build_index(kind, vectors)
    recalls = []
    for effort in (1, 16, 256):
        found = faiss_index.dataclasses.replace(built, effort=effort).search(queries, 5)
        recalls.append(recall(found, truth))
        hit = found.rows == truth.rows
        np.testing.assert_allclose(found.distances[hit], truth.distances[hit])
    assert recalls[0] < recalls[1] <= recalls[2]
    assert recalls[2] > 0.9


@needs_faiss
def test_few_vectors_are_compared_one_by_one():
    assert isinstance(build_index("hnsw", unit_rows(50)), exact.ExactIndex)


@needs_faiss
@pytest.mark.parametrize(("size", "pieces"), [(128, 32), (512, 32), (100, 25), (16, 16), (67, 1)])
def test_codes_fit_vectors_of_any_size(size, pieces):
    made = faiss_index._made("ivf_pq", 10_000, size)
    assert pieces == made.pq.M


def test_recall_counts_what_was_found_whatever_the_order():
    truth = Found(np.array([[0.1, 0.2]]), np.array([[4, 7]]))
    assert recall(Found(np.array([[0.1, 0.2]]), np.array([[4, 7]])), truth) == 1
    assert recall(Found(np.array([[0.2, 0.3]]), np.array([[7, 9]])), truth) == 0.5
    assert recall(Found(np.array([[0.1, np.inf]]), np.array([[4, -1]])), truth) == 0.5


def test_what_is_missing_is_told_in_one_line(monkeypatch):
    def absent(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(InputError, match=r"facenet-tf\[search\]"):
        build_index("hnsw", unit_rows(5))
    assert len(build_index("exact", unit_rows(5)).search(unit_rows(1), 1).rows) == 1


@pytest.mark.parametrize(("kind", "rows"), [("kd_tree", np.eye(2)), ("exact", np.zeros(3))])
def test_bad_input_is_refused(kind, rows):
    with pytest.raises(ValueError, match=r"no index|expected"):
        index.build_index(kind, rows)
