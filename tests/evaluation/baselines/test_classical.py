"""The classical baselines: against the library, on made-up faces, through an evaluation."""

import dataclasses
import json
import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA

from facenet_tf.errors import InputError
from facenet_tf.evaluation.baselines import eigenfaces, fisherfaces, grey_faces, lbp
from facenet_tf.evaluation.baselines.classical import METHODS, classical_vectors
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import choose_measured
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.seen import SeenPeople

from ...conftest import evaluate_without_plots


def faces(people=6, pictures=8, side=40, channels=3, seed=0):
    """Smooth pictures, one pattern for each person, under light from one side or the other."""
    random = np.random.default_rng(seed)
    coarse = random.integers(60, 190, (people, 5, 5, 1)).repeat(side // 5, 1).repeat(side // 5, 2)
    light = np.linspace(-40, 40, side)[None, None, :, None]
    who = np.repeat(np.arange(people), pictures)
    strength = random.choice([-1, 1], len(who))[:, None, None, None]
    noise = random.normal(0, 8, (len(who), side, side, 1))
    images = np.clip(coarse[who] + strength * light + noise, 0, 255).astype(np.uint8)
    return images.repeat(channels, 3), who


def told_apart(vectors, who):
    """Share of pictures whose nearest other picture shows the same person."""
    cosines = vectors @ vectors.T - 9 * np.eye(len(vectors))
    return np.mean(who[cosines.argmax(axis=1)] == who)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("channels", [1, 3])
def test_vectors_have_length_one_and_tell_people_apart(name, channels):
    learnt, of_whom = faces(seed=1, channels=channels)
    embed = METHODS[name].fit(iter([learnt[:20], learnt[20:]]), of_whom, 0)
    images, who = faces(seed=2, channels=channels)
    vectors = embed(images)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert told_apart(vectors, who) > 0.9
    np.testing.assert_allclose(embed(images[3:5]), vectors[3:5], atol=1e-5)


def test_grey_and_colour_of_the_same_greys_are_one():
    grey, colour = (faces(channels=channels)[0] for channels in (1, 3))
    np.testing.assert_allclose(grey_faces.grey_rows(grey), grey_faces.grey_rows(colour), atol=1e-6)


def test_eigenfaces_are_the_principal_components():
    learnt, who = faces()
    rows = grey_faces.grey_rows(learnt)
    exact = PCA(len(rows) - 1, svd_solver="full").fit(rows)
    images = faces(seed=3)[0]
    expected = exact.transform(grey_faces.grey_rows(images))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = eigenfaces.fit(iter([learnt]), who, 0)(images)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-3)


def test_fisherfaces_are_blind_to_what_varies_within_people():
    """One person under two lights is nearer than two people under one; for eigenfaces it is not."""
    learnt, who = faces(people=12, pictures=12, seed=4)
    images, whose = faces(people=6, seed=5)
    left = images[:, :, :20].mean(axis=(1, 2, 3)) > images[:, :, 20:].mean(axis=(1, 2, 3))
    same, lit_alike = whose[:, None] == whose, left[:, None] == left
    nearer = {}
    for name in ("eigenfaces", "fisherfaces"):
        vectors = METHODS[name].fit(iter([learnt]), who, 0)(images)
        cosines = vectors @ vectors.T
        nearer[name] = cosines[same & ~lit_alike].mean() > cosines[~same & lit_alike].mean()
    assert nearer == {"eigenfaces": False, "fisherfaces": True}


def test_fisherfaces_leave_people_with_one_picture_out():
    learnt, who = faces()
    single = np.r_[who, 90, 91]
    more = np.concatenate([learnt, faces(seed=8)[0][:2]])
    images = faces(seed=6)[0]
    found = fisherfaces.fit(iter([more]), single, 0)(images)
    np.testing.assert_allclose(found, fisherfaces.fit(iter([learnt]), who, 0)(images), atol=1e-4)
    with pytest.raises(InputError, match="two training people"):
        fisherfaces.fit(iter([learnt[:9]]), np.r_[np.zeros(8, int), 1], 0)


def test_lbp_counts_patterns_part_by_part():
    image = np.zeros((1, 70, 70, 1), np.uint8)
    image[0, :10, :10, 0] = np.random.default_rng(0).integers(0, 255, (10, 10))
    vector = lbp.fit(iter([]), np.zeros(0, int), 0)(image)[0].reshape(lbp.PARTS**2, lbp.PATTERNS)
    np.testing.assert_allclose((vector**2).sum(axis=1), 1 / lbp.PARTS**2, atol=1e-6)
    assert (vector[-1] > 0).sum() == 1  # a flat part has one pattern
    assert (vector[0] > 0).sum() > 5


def test_lbp_does_not_care_for_light():
    images = faces()[0] // 2
    embed = lbp.fit(iter([]), np.zeros(0, int), 0)
    # All but the ties between interpolated numbers.
    assert np.sum(embed(images) * embed(images + 50), axis=1).min() > 0.99


def test_lbp_names_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    with pytest.raises(InputError, match=r"facenet-tf\[classical\]"):
        lbp.fit(iter([]), np.zeros(0, int), 0)


def test_classical_baselines_stand_beside_the_network(run, dataset, tmp_path):
    config = EvaluateConfig(
        run,
        dataset.directory,
        output=tmp_path,
        repeats=2,
        bootstrap=0,
        baselines=False,
        classical=("eigenfaces", "fisherfaces"),
    )
    figures = evaluate_without_plots(config)
    assert set(figures["baselines"]) == {"eigenfaces", "fisherfaces"}
    assert figures["baselines"]["fisherfaces"]["trained_on"] == figures["dataset"]["name"]
    for name, result in figures["baselines"].items():
        assert result["protocol"] == METHODS[name].DESCRIPTION
        assert result["svm"]["accuracy"] is not None
        assert result["verification"]["unseen_people"]["auc"] > 0.5
    json.dumps(figures, allow_nan=False)
    assert "principal components" in (tmp_path / "report.html").read_text()


def test_people_of_a_list_are_not_learnt_from(run, dataset, tmp_path):
    """All people but the test people are on this list: nobody is left to learn from."""
    lines = [f"P{number % 5}\t{1 + number // 5}\t5" for number in range(15)]
    lines += [f"P{number % 5}\t{1 + number // 5}\tP{(number + 1) % 5}\t2" for number in range(15)]
    pairs = tmp_path / "pairsDevTest.txt"
    pairs.write_text("\n".join(["15", *lines]) + "\n")
    config = EvaluateConfig(
        run, dataset.directory, protocol="lfw_view1", pairs=pairs, classical=("eigenfaces",)
    )
    measured = choose_measured(
        config, Roster.of(dataset), SeenPeople(frozenset(), "nobody"), dataset
    )
    with pytest.raises(InputError, match="no training people to learn from"):
        classical_vectors(config, measured)
    needs_nobody = dataclasses.replace(config, classical=("lbp",))
    assert set(classical_vectors(needs_nobody, measured)) == {"lbp"}
