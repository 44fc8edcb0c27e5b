"""Whom and what a draw enrols."""

import numpy as np
import pytest

from facenet_tf.evaluation.methods.galleries import Draws, People

from ..made_up import people_vectors


def test_everybody_is_enrolled_by_as_many_pictures_as_there_are_up_to_the_number():
    people = People(people_vectors(people=4, pictures=(1, 2, 3, 6), lost=(8,)))
    for draw in people.closed_draws(Draws(enrolled=2, count=5)):
        assert np.bincount(people.person[draw.gallery]).tolist() == [1, 2, 2, 2]
        assert sorted([*draw.gallery, *draw.probes]) == list(range(12))
        assert 8 in draw.probes and draw.known.all()


def test_people_without_a_record_are_left_out_and_counted():
    people = People(people_vectors(people=3, pictures=(2, 2, 2), lost=(0, 1)))
    assert (people.count, people.left_out, len(people.person)) == (2, 1, 4)


def test_open_galleries_keep_a_share_of_the_people_out_with_all_their_pictures():
    people = People(people_vectors(people=10, pictures=4, lost=(5,)))
    outside = []
    for draw in people.open_draws(Draws(unknown=0.3, count=40)):
        enrolled = set(people.person[draw.gallery].tolist())
        assert len(enrolled) == 7
        assert draw.known.tolist() == [p in enrolled for p in people.person[draw.probes]]
        assert (~draw.known).sum() == 12 and draw.known.sum() == 7 * 3
        outside.append(frozenset(set(range(10)) - enrolled))
    assert len(set(outside)) > 6
    assert frozenset().union(*outside) == set(range(10))


def test_open_and_closed_draws_enrol_the_same_pictures_of_a_person():
    people, draws = People(people_vectors(people=6, pictures=5)), Draws(enrolled=2, count=4)
    for closed, opened in zip(people.closed_draws(draws), people.open_draws(draws)):
        assert set(opened.gallery) <= set(closed.gallery)


def test_the_seed_decides():
    people = People(people_vectors())

    def galleries(seed):
        return [draw.gallery.tolist() for draw in people.open_draws(Draws(count=3, seed=seed))]

    assert galleries(0) == galleries(0) != galleries(1)


@pytest.mark.parametrize(
    ("vectors", "enrolled", "fine"),
    [
        (people_vectors(people=1), 1, False),
        (people_vectors(people=3, pictures=1), 1, False),
        (people_vectors(people=3, pictures=2), 2, False),
        (people_vectors(people=3, pictures=2, lost=(0,)), 2, True),
        (people_vectors(people=3, pictures=(1, 1, 2)), 1, True),
    ],
)
def test_too_few_people_or_pictures_are_a_reason(vectors, enrolled, fine):
    reason = People(vectors).too_few(Draws(enrolled=enrolled))
    assert reason is None if fine else "are needed" in reason


@pytest.mark.parametrize(("unknown", "outside"), [(0.01, 1), (0.99, 3), (0.5, 2)])
def test_there_is_always_somebody_inside_and_somebody_outside(unknown, outside):
    people = People(people_vectors(people=4))
    for draw in people.open_draws(Draws(unknown=unknown, count=3)):
        assert len(set(people.person[draw.gallery])) == 4 - outside
