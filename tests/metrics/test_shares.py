import numpy as np
import pytest

from facenet_tf.metrics import (
    PeopleShares,
    TooFewPeople,
    limits_at_the_end,
    people_samples,
    share_interval,
)


def drawn_shares(right, people, *, draws, seed):
    shares = PeopleShares([right], people)
    return people_samples(shares.people, shares.of, draws=draws, seed=seed)[:, 0]


@pytest.fixture
def pictures():
    random = np.random.default_rng(0)
    people = np.repeat([f"p{number}" for number in range(40)], random.integers(1, 9, 40))
    skill = dict(zip(np.unique(people), random.beta(5, 2, 40), strict=True))
    return random.random(len(people)) < [skill[who] for who in people], people


def test_interval_holds_the_share_and_repeats(pictures):
    ((low, high),) = share_interval(*pictures, seed=1).tolist()
    assert low < pictures[0].mean() < high
    assert [[low, high]] == share_interval(*pictures, seed=1).tolist()
    assert [[low, high]] != share_interval(*pictures, seed=2).tolist()


def test_draws_are_of_whole_people():
    """Two people, one all right and one all wrong: only three shares can come out."""
    shares = drawn_shares([1, 1, 1, 0], ["a", "a", "a", "b"], draws=200, seed=0)
    assert set(np.round(shares, 9)) == {0.0, 0.75, 1.0}


def test_deviation_is_that_of_the_ratio_of_sums(pictures):
    """Cochran's formula for a ratio of sums over clusters."""
    right, people = pictures
    codes = np.unique(people, return_inverse=True)[1]
    sizes, correct = np.bincount(codes), np.bincount(codes, weights=right)
    residuals = correct - right.mean() * sizes
    expected = np.sqrt(len(sizes) * residuals.var(ddof=1)) / sizes.sum()
    assert drawn_shares(*pictures, draws=4000, seed=0).std() == pytest.approx(expected, rel=0.1)


def test_equal_people_are_drawn_for_two_systems(pictures):
    right, people = pictures
    same = drawn_shares(right, people, draws=50, seed=3)
    both = same - drawn_shares(right, people, draws=50, seed=3)
    assert not both.any()
    worse = drawn_shares(right & (np.arange(len(right)) % 9 > 0), people, draws=50, seed=3)
    assert (worse <= same).all()


@pytest.mark.parametrize(("right", "people"), [([], []), ([True], ["a", "b"])])
def test_bad_input_is_refused(right, people):
    with pytest.raises(ValueError, match="N >= 1"):
        share_interval(right, people)


def test_one_person_has_no_interval():
    with pytest.raises(TooFewPeople, match="too few people"):
        share_interval([1, 0, 1], ["a", "a", "a"])


def test_a_share_of_all_pictures_is_as_sure_as_there_are_people():
    people = np.repeat(np.arange(12), 9)
    found = share_interval(np.ones(108, bool), people)
    np.testing.assert_allclose(found, [limits_at_the_end(1, 12)])
