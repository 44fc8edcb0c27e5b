"""Which numbers of pictures the curve has."""

import numpy as np
import pytest

from facenet_tf.evaluation.protocols.learning_curve import shots_within

from ..made_up import people_vectors

SHOTS = (5, 1, 2, 10)


@pytest.mark.parametrize(
    ("pictures", "people", "expected"),
    [
        ((11, 11, 11), 3, (1, 2, 5, 10)),
        ((10, 11, 11), 3, (1, 2, 5)),
        ((10, 11, 11), 2, (1, 2, 5, 10)),
        ((2, 11, 11), 10, (1,)),  # all of them, since there are no ten
        ((1, 1, 11), 10, ()),
        ((1, 1, 11), 1, ()),  # two at least
    ],
)
def test_enough_people_have_more_pictures(pictures, people, expected):
    roster = people_vectors(people=3, pictures=pictures).roster
    assert shots_within(roster, SHOTS, people) == expected


def test_lost_pictures_cannot_be_enrolled():
    roster = people_vectors(people=2, pictures=6, lost=(0,)).roster
    assert shots_within(roster, SHOTS, 2) == (1, 2)
    assert shots_within(roster.where(np.arange(12) > 0), SHOTS, 2) == (1, 2)
