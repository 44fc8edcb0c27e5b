"""What systems are called in tables."""

from facenet_tf.evaluation.table import by_vectors, measured_name


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


def test_what_is_no_run_goes_by_its_file():
    figures = {"model": {"kind": "vectors"}, "config": {"run": "theirs.npz"}, "baselines": {}}
    assert measured_name(figures) == "theirs.npz"
    figures["baselines"] = {"theirs.npz": {"source": "theirs.npz"}}
    assert list(by_vectors(figures)) == ["theirs.npz (measured)", "theirs.npz"]
    assert measured_name({**figures, "model": {"kind": "run"}}) == "trained"
    assert measured_name({**figures, "weights": {"file": "x.pt"}}) == "pretrained"
