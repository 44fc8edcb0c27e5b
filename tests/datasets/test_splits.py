import pytest

from facenet_tf.datasets.splits import natural, split_identities, split_training
from facenet_tf.errors import InputError


def people(count, pictures=10):
    return {f"s{number}": pictures for number in range(1, count + 1)}


def names(split, wanted):
    return sorted((name for name, side in split.items() if side == wanted), key=natural)


def test_by_name_takes_the_last_by_number():
    split = split_identities(people(40), test=10, validation=4)
    assert names(split, "train") == [f"s{n}" for n in range(1, 27)]
    assert names(split, "validation") == [f"s{n}" for n in range(27, 31)]
    assert names(split, "test") == [f"s{n}" for n in range(31, 41)]


def test_fractions():
    split = split_identities(people(40), test=0.25, validation=0.15)
    counts = {side: len(names(split, side)) for side in ("train", "validation", "test")}
    assert counts == {"train": 26, "validation": 4, "test": 10}


@pytest.mark.parametrize(("there", "tested"), [(3, 0), (4, 2), (7, 2), (8, 2), (12, 3)])
def test_a_fraction_tests_two_people_where_there_are_four(there, tested):
    """One person alone gives neither an SVM nor an impostor pair."""
    split = split_identities(people(there), test=0.25, validation=0.15)
    assert len(names(split, "test")) == tested


def test_shuffle_depends_on_the_seed_alone():
    def shuffled(seed, of=None):
        return split_identities(
            of or people(40), test=10, validation=4, order="shuffled", seed=seed
        )

    backwards = dict(reversed(people(40).items()))
    assert shuffled(1) == shuffled(1, backwards)
    assert shuffled(1) != shuffled(2)
    assert names(shuffled(1), "test") != names(shuffled(1), "test")[::-1]
    assert len(names(shuffled(2), "test")) == 10
    assert len(names(shuffled(2), "validation")) == 4


def test_validation_people_have_enough_pictures():
    pictures = people(10) | {f"t{n}": 1 for n in range(10)}
    split = split_training(pictures, validation=0.5, validation_min_pictures=2)
    assert names(split, "validation") == [f"s{n}" for n in range(6, 11)]
    assert len(names(split, "train")) == 15


def test_two_people_are_trained_on_whatever_the_fraction():
    assert set(split_identities(people(2), test=0.9, validation=0.9).values()) == {"train"}


@pytest.mark.parametrize(("count", "validating"), [(3, 0), (4, 2), (10, 2), (20, 3)])
def test_a_fraction_gives_no_validation_person_or_two(count, validating):
    split = split_training(people(count), validation=0.15 if count > 4 else 0.4)
    assert len(names(split, "validation")) == validating


@pytest.mark.parametrize("share", [-1, 1.5])
def test_senseless_share(share):
    with pytest.raises(InputError, match="--test-people"):
        split_identities(people(5), test=share, validation=0)


@pytest.mark.parametrize(("test", "validation"), [(9, 0), (2, 7)])
def test_count_that_leaves_nobody(test, validation):
    with pytest.raises(InputError, match="at least 2 must be left"):
        split_identities(people(10), test=test, validation=validation)


def test_natural_order():
    assert sorted(["s10", "s2", "S1", "a", "s2b"], key=natural) == ["S1", "a", "s2", "s2b", "s10"]
