"""What systems are called in tables."""

from facenet_tf.evaluation.table import (
    by_vectors,
    doubt_of_intervals,
    measured_name,
    steered_people,
)


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


def test_intervals_over_too_few_people_are_doubted():
    assert doubt_of_intervals(4).endswith("87.5 % of cases only")
    assert doubt_of_intervals(5) == ""


def test_people_who_steered_are_told_where_there_are_any():
    assert steered_people({"steered_people": 3}).startswith("; 3 of the validation people")
    assert steered_people({"steered_people": 0}) == steered_people({}) == ""
