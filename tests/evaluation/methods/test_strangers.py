"""Made-up strangers lie as real vectors do; those of a file are read and checked."""

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.methods import strangers
from facenet_tf.evaluation.methods.strangers import MadeUp, OfOthers

from ..made_up import people_vectors

REAL = people_vectors(people=30, pictures=10, size=12, spread=0.6).values


def test_they_are_unit_vectors_with_the_distances_that_real_people_have():
    made = MadeUp(REAL, seed=0).rows(0, 4000)
    assert made.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-6)
    tested = people_vectors(people=30, pictures=10, size=12, spread=0.6, seed=1).values
    real, strange = tested @ REAL.T, tested @ made.T
    assert strange.mean() == pytest.approx(real.mean(), abs=0.02)
    assert strange.std() == pytest.approx(real.std(), rel=0.1)


def test_they_have_the_covariance_of_the_real_ones():
    """Directions in which real vectors vary little are left to none."""
    flat = REAL.copy()
    flat[:, 6:] *= 0.01
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    made = MadeUp(flat, seed=0).rows(0, 3000)
    assert made[:, 6:].std() < 0.03 < made[:, :6].std()


def test_any_range_is_cut_from_the_same_sequence(monkeypatch):
    monkeypatch.setattr(strangers, "_BLOCK", 100)
    source = MadeUp(REAL, seed=3)
    whole = source.rows(0, 450)
    np.testing.assert_array_equal(source.rows(130, 320), whole[130:320])
    np.testing.assert_array_equal(source.rows(100, 200), whole[100:200])
    assert len(source.rows(5, 5)) == 0
    assert not np.array_equal(MadeUp(REAL, seed=4).rows(0, 50), whole[:50])
    assert len(np.unique(whole, axis=0)) == 450


def test_nobody_has_a_crowd_of_doubles():
    """In many dimensions a stranger is mostly noise: no nearer to its source than to others."""
    random = np.random.default_rng(0)
    real = random.normal(size=(500, 128)).astype(np.float32)
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    source = MadeUp(real, seed=0)
    assert 0.9 < source.noise < 1
    assert (source.rows(0, 300) @ real.T).max() < 0.65


@pytest.fixture
def archive(tmp_path):
    vectors = people_vectors(people=5, pictures=4, size=6)
    path = tmp_path / "others.npz"
    rows = 3 * vectors.values
    rows[2] = np.nan
    rows[3] = 0
    np.savez(path, embeddings=rows, identities=vectors.roster.identities)
    return path


def test_those_of_a_file_are_scaled_and_known_people_left_out(archive):
    others = OfOthers(archive, 6, ["P_1", "somebody"], seed=0)
    assert len(others) == 5 * 4 - 4 - 2
    np.testing.assert_allclose(np.linalg.norm(others.rows(0, 14), axis=1), 1, atol=1e-6)
    again = OfOthers(archive, 6, ["p1"], seed=0)
    np.testing.assert_array_equal(others.rows(3, 9), again.rows(0, 14)[3:9])


def test_the_first_of_a_file_are_of_as_many_people_as_there_are(tmp_path):
    vectors = people_vectors(people=6, pictures=[9, 1, 5, 3, 1, 1], size=6)
    path = tmp_path / "others.npz"
    np.savez(path, embeddings=vectors.values, identities=vectors.roster.identities)
    orders = set()
    for seed in range(5):
        others = OfOthers(path, 6, [], seed)
        whose = [
            name
            for row in others.rows(0, 20)
            for value, name in zip(vectors.values, vectors.roster.identities, strict=True)
            if np.allclose(row, value)
        ]
        assert set(whose[:6]) == {f"p{number}" for number in range(6)}
        assert set(whose[6:9]) == set(whose[9:12]) == {"p0", "p2", "p3"}
        assert [others.people_among(first) for first in (1, 3, 6, 20)] == [1, 3, 6, 6]
        orders.add(tuple(whose))
    assert len(orders) == 5


def test_a_csv_gives_the_same_strangers(archive, tmp_path):
    with np.load(archive) as arrays:
        rows, names = arrays["embeddings"], arrays["identities"]
    lines = [",".join([name, *map(str, row)]) for name, row in zip(names, rows, strict=True)]
    table = tmp_path / "others.csv"
    table.write_text("\n".join(["identity,0,1,2,3,4,5", *lines]))
    of_csv, of_npz = (OfOthers(path, 6, ["p1"], seed=0) for path in (table, archive))
    np.testing.assert_allclose(of_csv.rows(0, 14), of_npz.rows(0, 14), atol=1e-6)


def test_strangers_need_no_names(tmp_path):
    np.savez(tmp_path / "nameless.npz", embeddings=np.eye(6))
    others = OfOthers(tmp_path / "nameless.npz", 6, ["p1"], seed=0)
    assert (len(others), others.people_among(6)) == (6, None)


def test_those_beyond_a_file_are_made_up_after_it(archive):
    others = OfOthers(archive, 6, ["p1"], seed=3)
    assert (len(others), others.people_among(40)) == (14, 4)
    whole = others.rows(0, 40)
    made_up = MadeUp(others.rows(0, 14), seed=3)
    np.testing.assert_array_equal(whole[14:], made_up.rows(0, 26))
    np.testing.assert_array_equal(others.rows(10, 20), whole[10:20])
    np.testing.assert_array_equal(others.rows(14, 40), whole[14:])


def test_another_size_is_refused(archive):
    with pytest.raises(InputError, match="same network"):
        OfOthers(archive, 7, [""], seed=0)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_bad_file_is_one_line(tmp_path, content):
    path = tmp_path / "bad.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.npz: it cannot be read"):
        OfOthers(path, 6, [""], seed=0)


def test_a_file_without_embeddings_is_one_line(tmp_path):
    np.savez(tmp_path / "other.npz", vectors=np.eye(3))
    with pytest.raises(InputError, match="embeddings"):
        OfOthers(tmp_path / "other.npz", 3, [""], seed=0)
