"""Published lists of pairs, on a list of the small world's people in LFW's file formats."""

import dataclasses
import json

import numpy as np
import pytest

from facenet_tf.datasets.lfw import read_pairs
from facenet_tf.datasets.names import normalized
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import choose_measured
from facenet_tf.evaluation.protocols.verification import set_name
from facenet_tf.evaluation.registry import all_figures
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.seen import SeenPeople, without_seen

NOBODY = SeenPeople(frozenset(), "none")


def fold_lines(count):
    """`count` genuine and `count` impostor pairs of the test people P5…P8."""
    genuine = [f"P{5 + number % 4}\t{1 + number % 3}\t4" for number in range(count)]
    impostor = [f"P{5 + number % 3}\t{1 + number % 8}\tP8\t5" for number in range(count)]
    return genuine + impostor


@pytest.fixture
def view1(tmp_path):
    path = tmp_path / "pairsDevTest.txt"
    path.write_text("\n".join(["20", *fold_lines(20)]) + "\n")
    return path


@pytest.fixture
def view2(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("\n".join(["10\t4", *(fold_lines(4) * 10)]) + "\n")
    return path


@pytest.fixture
def config(tmp_path):
    (tmp_path / "model.keras").touch()

    def make(protocol, pairs):
        options = {"repeats": 2, "fars": (0.5,), "svm_c": (1.0,), "svm_kernels": ("linear",)}
        return EvaluateConfig(tmp_path, protocol=protocol, pairs=pairs, **options)

    return make


def vectors_of(roster: Roster) -> Vectors:
    random = np.random.default_rng(0)
    person = np.unique(roster.identities, return_inverse=True)[1]
    values = random.normal(size=(9, 8))[person] + 0.7 * random.normal(size=(len(roster), 8))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    values[roster.lost] = np.nan
    return Vectors(roster, values.astype(np.float32))


def figures_of(config, dataset, seen=NOBODY):
    measured = choose_measured(config, without_seen(Roster.of(dataset), seen), seen)
    vectors = vectors_of(measured.roster)
    return all_figures(vectors, measured, config, baseline=True)["verification"], vectors


def expected_distances(path, vectors):
    pairs = read_pairs(path)
    row_of = {key: row for row, key in enumerate(vectors.roster.keys)}
    left, right = (
        vectors.values[[row_of[key] for key in side]].astype(float)
        for side in (pairs.left, pairs.right)
    )
    return pairs, np.sum((left - right) ** 2, axis=1)


def test_view1_takes_its_threshold_from_the_validation_people(config, dataset, view1):
    verification, vectors = figures_of(config("lfw_view1", view1), dataset)
    figures = verification["lfw_view1"]
    pairs, distance = expected_distances(view1, vectors)
    right = pairs.genuine == (distance <= figures["threshold"])
    right[np.isnan(distance)] = False
    assert figures["accuracy_mean"] == pytest.approx(right.mean())

    validation = vectors.roster.splits == "validation"
    rows, names = vectors.values[validation].astype(float), vectors.roster.identities[validation]
    apart = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    genuine = names[:, None] == names[None]
    upper = np.triu(np.ones_like(genuine), 1)

    def balanced(threshold):
        accepted = apart <= threshold
        return accepted[genuine & upper].mean() - accepted[~genuine & upper].mean()

    best = max(balanced(threshold) for threshold in np.append(apart.ravel(), -1.0))
    assert balanced(figures["threshold"]) == pytest.approx(best)


def test_view1_gives_the_ten_fold_figure_under_another_name(config, dataset, view1):
    verification, _ = figures_of(config("lfw_view1", view1), dataset)
    folded = verification["lfw_view1_10fold"]
    assert len(folded["accuracy_per_fold"]) == 10
    assert folded["accuracy_mean"] == pytest.approx(np.mean(folded["accuracy_per_fold"]))
    assert folded["auc"] == verification["lfw_view1"]["auc"]


def test_view2_is_scored_in_the_folds_of_the_list(config, dataset, view2):
    verification, vectors = figures_of(config("lfw_view2", view2), dataset)
    figures = verification["lfw_view2"]
    pairs, distance = expected_distances(view2, vectors)
    assert figures["pairs"] == 80
    for fold, threshold in enumerate(figures["thresholds"]):
        held_out = pairs.fold == fold
        right = pairs.genuine[held_out] == (distance[held_out] <= threshold)
        right[np.isnan(distance[held_out])] = False
        assert figures["accuracy_per_fold"][fold] == pytest.approx(right.mean())
    assert len(figures["grid"]["accuracy_per_fold"]) == 10


def test_lost_picture_stays_in_the_list(config, dataset, world, view2):
    pairs = read_pairs(view2)
    holds_lost = sum(world.lost in sides for sides in zip(pairs.left, pairs.right, strict=True))
    verification, _ = figures_of(config("lfw_view2", view2), dataset)
    assert verification["lfw_view2"]["pairs"] == 80
    assert verification["lfw_view2"]["pairs_with_lost_picture"] == holds_lost


def test_whole_list_bears_its_name(config, dataset, view2):
    figures = figures_of(config("lfw_view2", view2), dataset)[0]["lfw_view2"]
    assert figures["left_out_people"] == 0
    assert set_name("lfw_view2", figures) == "lfw_view2"


def test_seen_people_leave_the_list_and_its_name(config, dataset, view2):
    seen = SeenPeople(frozenset({"p6"}), "test")
    verification, _ = figures_of(config("lfw_view2", view2), dataset, seen)
    figures = verification["lfw_view2"]
    assert figures["left_out_people"] == 1
    pairs = read_pairs(view2)
    sides = zip(pairs.left, pairs.right, strict=True)
    assert figures["pairs"] == sum(not any(key.startswith("P6/") for key in pair) for pair in sides)
    assert "minus 1 people" in figures["protocol"]
    assert "not comparable" in figures["protocol"]
    assert set_name("lfw_view2", figures) == "lfw_view2 minus 1 people"
    assert "grid" not in figures
    assert verification["unseen_people"]["protocol"].count("3 test people") == 1


def test_list_of_seen_people_only_is_refused(config, dataset, view2):
    seen = SeenPeople(frozenset({"p5", "p6", "p7", "p8"}), "test")
    with pytest.raises(InputError, match="no test people"):
        figures_of(config("lfw_view2", view2), dataset, seen)


def test_who_is_on_the_list_chooses_no_threshold(config, dataset, tmp_path):
    roster = Roster.of(dataset)
    choosing = set(np.unique(roster.identities[roster.splits == "validation"]))
    listed = min(choosing)
    path = tmp_path / "pairsDevTest.txt"
    lines = [line.replace("P5", listed) for line in fold_lines(20)]
    path.write_text("\n".join(["20", *lines]) + "\n")
    measured = choose_measured(config("lfw_view1", path), roster, NOBODY)
    of_measured = measured.roster
    assert listed in of_measured.identities[measured.listed.left]
    left = set(np.unique(of_measured.identities[of_measured.splits == "validation"]))
    assert left == choosing - {listed}
    if measured.validation is not None:
        rows = np.concatenate([measured.validation.left, measured.validation.right])
        assert listed not in of_measured.identities[rows]


def test_list_of_the_other_view_is_refused(config, dataset, view1, view2):
    with pytest.raises(InputError, match=r"10 folds.*lfw_view1"):
        figures_of(config("lfw_view1", view2), dataset)
    with pytest.raises(InputError, match=r"1 folds.*lfw_view2"):
        figures_of(config("lfw_view2", view1), dataset)


def test_list_too_short_for_folds_is_refused(config, dataset, tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("\n".join(["3", *fold_lines(3)]) + "\n")
    with pytest.raises(InputError, match=r"--pairs .*short\.txt"):
        figures_of(config("lfw_view1", path), dataset)


def test_fold_emptied_by_seen_people_is_not_counted(config, dataset, tmp_path):
    path = tmp_path / "pairs.txt"
    of_p5 = ["P5\t1\t4", "P5\t2\t4", "P5\t1\tP8\t5", "P5\t2\tP8\t5"]
    others = ["P6\t1\t4", "P7\t2\t4", "P6\t1\tP8\t5", "P7\t2\tP8\t5"]
    path.write_text("\n".join(["10\t2", *others, *of_p5, *(others * 8)]) + "\n")
    seen = SeenPeople(frozenset({"p5"}), "test")
    verification, _ = figures_of(config("lfw_view2", path), dataset, seen)
    assert verification["lfw_view2"]["pairs"] == 36
    assert len(verification["lfw_view2"]["accuracy_per_fold"]) == 9


def test_list_left_with_one_fold_is_refused(config, dataset, tmp_path):
    path = tmp_path / "pairs.txt"
    of_p5 = ["P5\t1\t4", "P5\t2\t4", "P5\t1\tP8\t5", "P5\t2\tP8\t5"]
    others = ["P6\t1\t4", "P7\t2\t4", "P6\t1\tP8\t5", "P7\t2\tP8\t5"]
    path.write_text("\n".join(["10\t2", *others, *(of_p5 * 9)]) + "\n")
    with pytest.raises(InputError, match="fewer than two folds"):
        figures_of(config("lfw_view2", path), dataset, SeenPeople(frozenset({"p5"}), "test"))


def test_figures_are_json(config, dataset, view1):
    verification, _ = figures_of(config("lfw_view1", view1), dataset)
    json.dumps(verification, allow_nan=False)


def test_a_list_can_be_measured_alone(config, dataset, view2):
    alone = dataclasses.replace(config("lfw_view2", view2), list_only=True)
    measured = choose_measured(alone, Roster.of(dataset), NOBODY)
    pairs = read_pairs(view2)
    assert set(measured.roster.keys) == {*pairs.left, *pairs.right} | set(
        roster_of(dataset, "validation").keys
    )
    figures = all_figures(vectors_of(measured.roster), measured, alone, baseline=True)
    assert set(figures["verification"]) == {"lfw_view2"}
    assert figures["verification"]["lfw_view2"]["pairs"] == 80
    assert not {"few_shot", "svm"} & set(figures)


def roster_of(dataset, split):
    roster = Roster.of(dataset)
    return roster.where(roster.splits == split)


def test_seen_people_are_known_whatever_their_split(config, dataset):
    roster = Roster.of(dataset)
    names = [str(roster.identities[roster.splits == split][0]) for split in ("train", "validation")]
    trained, steered = map(normalized, names)
    seen = SeenPeople(frozenset({trained, steered}), "", steering=frozenset({steered}))
    whole = dataclasses.replace(config("none", None), include_training=True)
    assert choose_measured(whole, without_seen(roster, seen), seen).seen == set(names)
