"""What is written down of a loss that is not finite."""

import json
import math

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.training.not_finite import NotFinite, Recovery, write_batches


@pytest.mark.parametrize(
    ("first", "last", "steps"), [(6, 6, "step 7"), (4, 7, "one of the steps 5 to 8")]
)
def test_the_step_is_said_as_exactly_as_it_is_known(first, last, steps):
    found = NotFinite(2, first, last, "gradient_norm", math.inf)
    assert found.what == f"the gradient norm became inf at {steps} of epoch 3"


def test_what_was_found_later_is_not_laid_on_its_step():
    found = NotFinite(2, 6, 6, "validation embeddings")
    assert found.what == (
        "a number in validation embeddings was not finite after step 7 of epoch 3 "
        "(an earlier step may have done it)"
    )


def test_the_pictures_of_the_batch_are_named(dataset, tmp_path):
    records = np.array([5, 0, 5])
    batch = {"record": records, "label": np.array([1, 0, 1])}
    found = NotFinite(2, 6, 6, "loss", math.nan)
    write_batches(tmp_path / "told.json", found, dataset, {46: batch}, stage=1, seed=7)
    told = json.loads((tmp_path / "told.json").read_text())
    assert (told["epoch"], told["stage"], told["seed"]) == (3, 1, 7)
    (step,) = told["steps"]
    assert step["stage_step"] == 46
    assert [picture["record"] for picture in step["pictures"]] == [5, 0, 5]
    assert [picture["label"] for picture in step["pictures"]] == [1, 0, 1]
    for picture in step["pictures"]:
        assert picture["path"] == dataset.keys()[picture["record"]]
        assert picture["path"].startswith(f"{picture['identity']}/")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"rollbacks": -1}, "rollbacks"),
        ({"rollbacks": 1, "rate": 0.0}, "rate"),
        ({"rollbacks": 1, "rate": 1.5}, "rate"),
        ({"rate": 0.1}, "rate"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(options, named):
    with pytest.raises(InputError, match=f"--recovery.{named} "):
        Recovery(**options).check()
