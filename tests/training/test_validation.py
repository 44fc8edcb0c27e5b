"""What decides which model is the best: figures over all pairs of the validation people."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from facenet_tf.input_pipeline.degraded import degraded
from facenet_tf.training import validation
from facenet_tf.training.validation import FAR, ValidationPeople, _of_some_people


class Lookup:
    """An embedder that gives made-up vectors in the order in which pictures come."""

    def __init__(self, vectors):
        self.vectors = vectors

    def embed(self, batches):
        assert sum(len(batch) for batch in batches) == len(self.vectors)
        return self.vectors


def vectors_for(people, noise):
    random = np.random.default_rng(5)
    centres = random.normal(size=(people.labels.max() + 1, 16))
    rows = centres[people.labels] + noise * random.normal(size=(len(people.labels), 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_figures_are_those_of_all_pairs(dataset):
    people = ValidationPeople(dataset)
    vectors = vectors_for(people, noise=1.5)
    figures = people.measure(Lookup(vectors))
    pairs = list(itertools.combinations(range(len(vectors)), 2))
    genuine = [people.labels[a] == people.labels[b] for a, b in pairs]
    closeness = [float(vectors[a] @ vectors[b]) for a, b in pairs]
    assert figures["val_auc"] == pytest.approx(roc_auc_score(genuine, closeness), abs=1e-6)
    assert 0 < figures["val_eer"] < 0.5
    assert people.embeddings is vectors


def test_figures_of_distances_and_directions(dataset):
    people = ValidationPeople(dataset)
    vectors = vectors_for(people, noise=1.5).astype(np.float64)
    figures = people.measure(Lookup(vectors.astype(np.float32)))
    pairs = list(itertools.combinations(range(len(vectors)), 2))
    genuine = np.array([people.labels[a] == people.labels[b] for a, b in pairs])
    squared = np.array([np.square(vectors[a] - vectors[b]).sum() for a, b in pairs])
    np.testing.assert_array_equal(people.genuine, genuine)
    np.testing.assert_allclose(people.distances, squared, rtol=1e-5)
    singular = np.linalg.svd(vectors, compute_uv=False) ** 2
    impostors = np.sort(squared[~genuine])
    accepted = impostors[: int(FAR * len(impostors)) + 1]  # the last one is refused
    expected = {
        "val_genuine_mean": squared[genuine].mean(),
        "val_genuine_deviation": squared[genuine].std(),
        "val_impostor_mean": squared[~genuine].mean(),
        "val_impostor_deviation": squared[~genuine].std(),
        "val_effective_rank": singular.sum() ** 2 / np.square(singular).sum(),
        "val_tar": np.mean(squared[genuine] < accepted[-1]),
    }
    assert {name: figures[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    assert 0 < figures["val_overlap"] < 1 and figures["val_d_prime"] > 0
    rejected = sum(one.rejected_pairs for one in people.errors)
    assert 1 - rejected / genuine.sum() == pytest.approx(figures["val_tar"])
    assert {one.label for one in people.errors} == set(people.labels)


def test_people_told_apart_perfectly(dataset):
    people = ValidationPeople(dataset)
    figures = people.measure(Lookup(vectors_for(people, noise=1e-3)))
    perfect = {"val_auc": 1, "val_eer": 0, "val_tar": 1, "val_rank1": 1, "val_overlap": 0}
    assert {name: figures[name] for name in perfect} == perfect


def test_a_collapsed_model_is_measured_too(dataset):
    people = ValidationPeople(dataset)
    figures = people.measure(Lookup(np.full((len(people.labels), 4), 0.5, np.float32)))
    chance = {"val_auc": 0.5, "val_rank1": 0, "val_overlap": 1, "val_d_prime": 0}
    assert {name: figures[name] for name in chance} == chance
    assert figures["val_effective_rank"] == pytest.approx(1)


def test_only_validation_people_are_measured_and_at_most_so_many_pictures(dataset):
    everyone = ValidationPeople(dataset)
    assert set(everyone.records) == set(dataset.split("validation"))
    few = ValidationPeople(dataset, limit=4)
    assert 0 < len(few.records) <= 4
    assert set(few.records) <= set(everyone.records)


def test_what_is_measured_and_what_is_not_is_counted(dataset):
    count = len(dataset.split("validation"))
    nobody_out = {"images_left_out": 0, "copies_left_out": 0}
    for limit in (0, count):
        everyone = ValidationPeople(dataset, limit)
        assert everyone.counts == {"identities": 2, "images": count, **nobody_out}
    few = ValidationPeople(dataset, limit=4).counts
    assert few["images"] + few["images_left_out"] == count and few["images"] <= 4


def test_many_pairs_are_warned_of(dataset, monkeypatch, caplog):
    pictures = len(dataset.split("validation"))
    pairs = pictures * (pictures - 1) // 2
    for bound, told in ((pairs, False), (pairs - 1, True)):
        monkeypatch.setattr(validation, "_MANY_PAIRS", bound)
        ValidationPeople(dataset, limit=0)
        assert (f"validation compares {pictures} pictures" in caplog.text) is told
    assert "--validation-pictures" in caplog.text


def test_a_copy_of_a_picture_is_not_measured(dataset, monkeypatch):
    """Nor is it a genuine pair. The same picture of another person is a pair as any other."""
    records = dataset.split("validation")
    labels, sources = dataset.labels[records], dataset.sources.copy()
    own, other = records[labels == labels[0]], records[labels != labels[0]]
    sources[[own[2], other[0]]] = sources[own[0]]
    monkeypatch.setattr(type(dataset), "sources", sources)
    people = ValidationPeople(dataset)
    assert sorted(people.records) == sorted({*records} - {own[2]})
    assert people.counts["copies_left_out"] == 1
    assert len(people.genuine) == len(people.records) * (len(people.records) - 1) // 2


def test_a_lower_far_where_the_pairs_carry_it(dataset):
    people = ValidationPeople(dataset)
    assert "val_tar_0.001" not in people.measure(Lookup(vectors_for(people, noise=1.5)))
    people.labels = np.repeat(np.arange(75), 2)
    left, right = np.triu_indices(150, k=1)
    people.genuine = people.labels[left] == people.labels[right]
    rows = vectors_for(people, noise=1.0)
    people.batches = lambda: [rows]
    found = people.measure(Lookup(rows))
    squared = np.square(rows[left] - rows[right]).sum(axis=1)
    impostors = np.sort(squared[~people.genuine])
    refused = impostors[int(1e-3 * len(impostors))]
    assert found["val_tar_0.001"] == pytest.approx(np.mean(squared[people.genuine] < refused))
    assert 0 < found["val_tar_0.001"] < found["val_tar"]


def test_embeddings_that_are_not_finite_are_no_figures(dataset):
    people = ValidationPeople(dataset)
    vectors = vectors_for(people, noise=1.5)
    vectors[3, 2] = np.nan
    with pytest.raises(FloatingPointError, match="validation embeddings"):
        people.measure(Lookup(vectors))


def test_validation_crops_are_degraded_as_asked(dataset):
    plain = np.concatenate(list(ValidationPeople(dataset).batches()))
    people = ValidationPeople.of(dataset, degrade=("low_resolution:4", "grey"))
    expected = list(degraded(plain, ["low_resolution:4", "grey"]))
    np.testing.assert_array_equal(np.concatenate(list(people.batches())), expected)


@pytest.mark.parametrize(("pictures", "limit", "whole"), [([3] * 50, 31, 10), ([90, 90], 40, 0)])
def test_of_many_pictures_those_of_whole_people_are_taken(pictures, limit, whole):
    """Of people with few pictures, so that there are genuine pairs; of two with many, both."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(pictures)), pictures))
    chosen = _of_some_people(labels, limit)
    assert (np.diff(chosen) > 0).all() and len(chosen) <= limit
    people, counts = np.unique(labels[chosen], return_counts=True)
    assert len(people) >= 2
    assert (counts == np.asarray(pictures)[people]).sum() == whole
    np.testing.assert_array_equal(chosen, _of_some_people(labels, limit))
