import dataclasses

import numpy as np

from facenet_tf.evaluation.named_pictures import rows_of_named

from .made_up import people_vectors


def roster_of(*keys):
    roster = people_vectors(1, len(keys)).roster
    return dataclasses.replace(roster, keys=np.array(keys))


def test_the_same_key_comes_first():
    roster = roster_of("x/a/1.jpg", "a/1.jpg")
    assert rows_of_named(roster, ["a/1.jpg", "x/a/1.jpg"]).tolist() == [1, 0]


def test_a_list_that_begins_higher_up_or_lower_down():
    roster = roster_of("001/frontal/01.jpg", "001/profile/01.jpg", "Abel/Abel_0001.jpg")
    keys = ["Data/Images/001/profile/01.jpg", "Abel_0001.jpg", "frontal/01.jpg"]
    assert rows_of_named(roster, keys).tolist() == [1, 2, 0]


def test_what_may_be_several_or_none_is_not_found():
    roster = roster_of("a/1.jpg", "b/1.jpg", "ba/2.jpg")
    assert rows_of_named(roster, ["1.jpg", "c/1.jpg", "a/2.jpg", ""]).tolist() == [-1] * 4
