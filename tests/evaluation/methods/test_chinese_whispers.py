"""Chinese Whispers on graphs whose clusters are plain, and what holds wherever it ends."""

import numpy as np
import pytest

from facenet_tf.evaluation.methods.chinese_whispers import chinese_whispers
from facenet_tf.metrics import ClusterTable, all_pairs_distances


def matrix(rows):
    count = len(rows)
    table = np.zeros((count, count))
    table[np.triu_indices(count, k=1)] = np.sqrt(all_pairs_distances(rows))
    return table + table.T


def clouds(people=6, pictures=9, spread=0.1, seed=0):
    random = np.random.default_rng(seed)
    names = np.repeat(np.arange(people), pictures)
    rows = 3 * random.normal(size=(people, 5))[names]
    return names, rows + spread * random.normal(size=rows.shape)


@pytest.mark.parametrize("seed", range(4))
def test_clouds_that_lie_apart_are_the_clusters(seed):
    names, rows = clouds(seed=seed)
    table = ClusterTable(names, chinese_whispers(matrix(rows), 1.0, seed))
    assert table.bcubed().f == 1


def test_a_bridge_does_not_join_two_clouds():
    """Where DBSCAN walks from one cloud to the other, the majority holds both."""
    distances = np.full((10, 10), 9.0)
    distances[:5, :5] = distances[5:, 5:] = 0.2
    distances[4, 5] = distances[5, 4] = 0.9
    names = chinese_whispers(distances, 1.0, seed=0)
    assert len(set(names[:5])) == len(set(names[5:])) == 1
    assert names[0] != names[9]


def test_nobody_within_reach_is_a_cluster_of_its_own():
    assert len(set(chinese_whispers(matrix(np.eye(5)), 1.0, seed=0))) == 5


def test_at_the_threshold_is_within():
    assert len(set(chinese_whispers(matrix(np.eye(4)), float(np.sqrt(2)), seed=1))) < 4


@pytest.mark.parametrize("seed", range(5))
def test_where_it_ends_everybody_says_what_most_of_its_neighbours_say(seed):
    _, rows = clouds(people=8, pictures=6, spread=1.2, seed=seed)
    distances, threshold = matrix(rows), 3.0
    names = chinese_whispers(distances, threshold, seed)
    for node, name in enumerate(names):
        said = {}
        for other in range(len(names)):
            if other != node and distances[node, other] <= threshold:
                weight = 1 - distances[node, other] / threshold
                said[names[other]] = said.get(names[other], 0) + weight
        assert not said or said.get(name, 0) == pytest.approx(max(said.values()))


def test_the_seed_decides():
    _, rows = clouds(people=12, pictures=4, spread=2.0)
    distances = matrix(rows)
    one, other = (chinese_whispers(distances, 5.0, seed).tolist() for seed in (0, 1))
    assert one == chinese_whispers(distances, 5.0, 0).tolist() != other
