import pytest

from facenet_tf.evaluation.lfw_names import reporting_name, reporting_names

OUTSIDE = "Unrestricted, Labeled Outside Data"
INSIDE = "Unrestricted, Label-Free Outside Data"
UNTRAINED = "Image-Restricted, Label-Free Outside Data"


@pytest.mark.parametrize(
    ("trained_on", "alone", "name"),
    [
        ("att", True, OUTSIDE),
        ("unknown", True, OUTSIDE),
        ("lfw", True, INSIDE),
        ("lfw_112-funneled", True, INSIDE),
        ("lfw", False, OUTSIDE),
        ("halfway", True, OUTSIDE),
        ("msceleb_lfw", True, OUTSIDE),
        (None, True, UNTRAINED),
    ],
)
def test_the_category_follows_from_the_training_data(trained_on, alone, name):
    assert reporting_name(trained_on, alone)["name"] == name


def test_every_network_has_its_own():
    run = {"dataset": {"name": "lfw"}, "config": {"fine_tuning": {"init": None}}}
    pretrained = {"weights": {"trained_on": "3 million faces"}}
    names = reporting_names(run, None, {"untrained": {}, "dlib": pretrained})
    assert {key: found["name"] for key, found in names.items()} == {
        "trained": INSIDE,
        "untrained": UNTRAINED,
        "dlib": OUTSIDE,
    }
    run["config"]["fine_tuning"]["init"] = "vggface2.h5"
    assert reporting_names(run, None, {})["trained"]["name"] == OUTSIDE
    assert reporting_names({}, pretrained["weights"], {})["trained"]["name"] == OUTSIDE
    assert reporting_names({}, None, {})["trained"]["name"] == OUTSIDE
    fisherfaces = {"protocol": "", "trained_on": "lfw"}
    assert reporting_names(run, None, {"f": fisherfaces})["f"]["name"] == INSIDE
    compared = reporting_names(run, None, {"theirs.npz": {"source": "theirs.npz"}})["theirs.npz"]
    assert compared["name"] == OUTSIDE
    assert "not known" in compared["why"]
