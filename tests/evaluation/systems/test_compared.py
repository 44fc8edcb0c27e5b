"""Another network on the same pictures in its own crops: its figures are those it has alone."""

import dataclasses
import json
import re

import keras
import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.projection import ProjectionOptions
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.systems.subject import open_others
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig

from ...conftest import evaluate_without_plots, whole_picture_detector
from ..test_roster import make_roster

CROPS = Preprocessing(size=40)


@pytest.fixture(scope="module")
def other_dataset(world, pictures, tmp_path_factory):
    """The same pictures in larger crops."""
    config = BuildConfig(
        directory=pictures,
        output=tmp_path_factory.mktemp("other") / "larger",
        name="larger",
        recover=False,
        test_people=world.test_people,
        validation_people=world.validation_people,
        preprocessing=CROPS,
        workers=1,
        shards=1,
    )
    return build_dataset(config, whole_picture_detector)


@pytest.fixture(scope="module")
def other_run(tmp_path_factory):
    """A run directory with another linear network for those crops."""
    keras.utils.set_random_seed(2)
    pixels = keras.Input((CROPS.size, CROPS.size, 3), name="pixels")
    x = models.PixelNormalization(CROPS.to_dict(), name="normalization")(pixels)
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(20)(x))
    x = models.UnitLength(name="embedding")(keras.layers.Dense(4, name="bottleneck")(x))
    directory = tmp_path_factory.mktemp("other_run")
    keras.Model(pixels, x, name="other").save(directory / "model.keras")
    return directory


def short(run, dataset, output, **options):
    few = {"repeats": 2, "bootstrap": 0, "projection": ProjectionOptions(()), "draws": 3}
    return EvaluateConfig(run, dataset.directory, output=output, **few, **options)


def unsteered(figures):
    """Figures without how many of those who chose had steered a training: compared systems share
    them, and what any of them knows counts."""
    return json.loads(re.sub(r", \d+ of whom steered a training", "", json.dumps(figures)))


def test_figures_are_those_of_the_network_alone(run, dataset, other_run, other_dataset, tmp_path):
    other = f"{other_run}@{other_dataset.directory}"
    both = evaluate_without_plots(
        short(run, dataset, tmp_path / "both", compare=(other,), baselines=False)
    )
    alone = evaluate_without_plots(
        short(other_run, other_dataset, tmp_path / "alone", baselines=False)
    )
    without = evaluate_without_plots(short(run, dataset, tmp_path / "without", baselines=False))
    found = both["baselines"][other]
    for part in ("svm", "few_shot", "verification"):
        assert unsteered(found[part]) == unsteered(alone[part])
        assert unsteered(both[part]) == unsteered(without[part])
    assert found["dataset"]["fingerprint"] == other_dataset.fingerprint
    assert str(other_run) in found["protocol"]
    assert both["comparison"]["systems"] == ["trained", other]
    report = (tmp_path / "both" / "report.html").read_text()
    assert f"{found['svm']['repeated']['accuracy_mean']:.4f}" in report
    json.dumps(both, allow_nan=False)


def test_a_picture_lost_in_its_crops_counts_against_it_alone():
    here, there = make_roster(["a", "a", "b"]), make_roster(["a", "a", "b"], lost=(1,))
    own = here.as_in(there)
    assert own.lost.tolist() == [False, True, False]
    assert own.outcomes.tolist() == ["ok", "no_face", "ok"]
    assert not here.lost.any()


def test_pictures_are_found_by_name_whatever_the_order():
    here, there = make_roster(["b", "a"]), make_roster(["b", "a", "c"])
    turned = there.where(np.array([2, 1, 0]))
    assert here.as_in(turned).records.tolist() == [0, 1]


def opened(run, dataset, other_run, other_dataset):
    other = f"{other_run}@{other_dataset.directory}"
    return open_others(short(run, dataset, None, compare=(other,)), dataset)[other]


def test_other_pictures_are_refused(run, dataset, other_run, other_dataset):
    other = opened(run, dataset, other_run, other_dataset)
    roster = Roster.of(dataset)
    renamed = dataclasses.replace(roster, keys=np.char.add(roster.keys, "x"))
    with pytest.raises(InputError, match=r"larger: it has no picture .*jpgx"):
        other.vectors(renamed)


def test_crops_of_another_network_are_refused(run, dataset, other_run):
    with pytest.raises(InputError, match=r"size: 40 and 32"):
        opened(run, dataset, other_run, dataset)
