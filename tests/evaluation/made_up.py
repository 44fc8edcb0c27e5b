"""Vectors of made-up people."""

import numpy as np

from facenet_tf.evaluation.fixed_thresholds import FixedThresholds
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.pair_sets import all_pairs_of_split
from facenet_tf.evaluation.roster import NO_RECORD, Roster, Vectors
from facenet_tf.thresholds import Thresholds


def people_vectors(
    people=4, pictures=20, *, size=8, spread=0.3, lost=(), duplicate=(), seed=0
) -> Vectors:
    """Unit vectors around a centre for each of p0, p1, …; `pictures` a number or one for each."""
    random = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(people), pictures)
    values = random.normal(size=(people, size))[numbers]
    values = values + spread * random.normal(size=values.shape)
    values = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    values[list(lost)] = np.nan
    rows = np.arange(len(values))
    names = np.array([f"p{number}" for number in numbers])
    records = np.where(np.isin(rows, list(lost)), NO_RECORD, rows)
    roster = Roster(
        keys=np.array([f"{name}/{row:03}" for row, name in enumerate(names)]),
        identities=names,
        splits=np.full(len(rows), "test"),
        outcomes=np.where(records == NO_RECORD, "no_face", "ok"),
        records=records,
        duplicate=np.isin(rows, list(duplicate)),
    )
    return Vectors(roster, values)


def thresholds_at(balanced=1.0, **by_far) -> FixedThresholds:
    """Thresholds as validation people would have chosen them; f01=0.5: 0.5 for a FAR of 0.1."""
    points = {f"0.{far[2:]}": {"threshold": value} for far, value in by_far.items()}
    dataset = {"name": "there", "fingerprint": "", "people": 9}
    same_person = {"slope": -1.0, "intercept": 1.0}
    return FixedThresholds(Thresholds("", dataset, points, balanced, same_person))


def measured_of(vectors: Vectors, **more) -> Measured:
    """All pairs of the people of some vectors."""
    pairs = all_pairs_of_split(vectors.roster, "test", seed=0)
    return Measured(vectors.roster, [], pairs, None, None, None, 0, **more)
