"""Which face a picture stands for."""

import numpy as np
import pytest

from facenet_tf.detection import Face, SeveralFaces, select_face

SHAPE = (100, 200, 3)
POINTS = np.zeros((5, 2))
# Centres (20, 50), (100, 50) and (150, 60) in a picture whose centre is (99.5, 49.5).
LARGE = Face((-10, 20, 60, 60), 0.9, POINTS)
CENTRAL = Face((90, 40, 20, 20), 0.95, POINTS)
SURE = Face((140, 50, 20, 20), 0.99, POINTS)
FACES = [LARGE, CENTRAL, SURE]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("largest_central", CENTRAL), ("most_confident", SURE), ("nearest_centre", CENTRAL)],
)
def test_rules(rule, expected):
    for order in [FACES, FACES[::-1]]:
        assert select_face(order, SHAPE, rule) is expected


def test_largest_central_weighs_area_against_distance():
    # 60 * 60 - 2 * (d**2 + 0.5**2) against 20 * 20 - 2 * 0.5: equal at d = 40.
    near = Face((99.5 + 39 - 30, 19.5, 60, 60), 0.5, POINTS)
    far = Face((99.5 + 41 - 30, 19.5, 60, 60), 0.5, POINTS)
    assert select_face([CENTRAL, near], SHAPE, "largest_central") is near
    assert select_face([CENTRAL, far], SHAPE, "largest_central") is CENTRAL


def test_refuse_wants_a_single_face():
    assert select_face([SURE], SHAPE, "refuse") is SURE
    with pytest.raises(SeveralFaces) as caught:
        select_face(FACES, SHAPE, "refuse")
    assert caught.value.count == 3


@pytest.mark.parametrize("rule", ["largest_central", "most_confident", "nearest_centre", "refuse"])
def test_no_face_gives_none(rule):
    assert select_face([], SHAPE, rule) is None


def test_of_equals_the_first_wins():
    twin = Face(SURE.box, SURE.confidence, POINTS)
    assert select_face([SURE, twin], SHAPE, "most_confident") is SURE


def test_unknown_rules_are_refused():
    with pytest.raises(ValueError, match="largest_central"):
        select_face(FACES, SHAPE, "best")
