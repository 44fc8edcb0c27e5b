"""What decides which model is the best: figures over all pairs of the validation people."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from facenet_tf.training.validation import ValidationPeople


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


def test_people_told_apart_perfectly(dataset):
    people = ValidationPeople(dataset)
    figures = people.measure(Lookup(vectors_for(people, noise=1e-3)))
    assert figures == {"val_auc": 1.0, "val_eer": 0.0, "val_tar": 1.0}


def test_only_validation_people_are_measured_and_at_most_so_many_pictures(dataset):
    everyone = ValidationPeople(dataset)
    assert set(everyone.records) == set(dataset.split("validation"))
    few = ValidationPeople(dataset, limit=4)
    assert len(few.records) == 4
    assert set(few.records) <= set(everyone.records)
    assert {few.records[0], few.records[-1]} == {everyone.records[0], everyone.records[-1]}
