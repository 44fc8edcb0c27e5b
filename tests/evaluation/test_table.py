"""What systems are called in tables."""

from facenet_tf.evaluation.table import by_vectors


def test_systems_of_one_source_keep_apart():
    others = {
        "raw_pixels": {},
        "dlib@data/a": {"source": "dlib"},
        "dlib@data/b": {"source": "dlib"},
        "theirs.npz@data/a": {"source": "theirs.npz"},
    }
    names = ["trained", "raw pixels", "dlib@data/a", "dlib@data/b", "theirs.npz"]
    found = by_vectors({"baselines": others})
    assert list(found) == names
    assert list(found.values())[1:] == list(others.values())
