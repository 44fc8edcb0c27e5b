"""Chinese Whispers: a graph falls into clusters as its nodes take over what their neighbours say.

Biemann, "Chinese Whispers: an efficient graph clustering algorithm", 2006. Every node starts with a
name of its own; in rounds, in random order, each takes the name with the greatest weight among its
neighbours, until nothing changes.
"""

import numpy as np
from numpy.typing import NDArray

MOST_ROUNDS = 20
"""As in the paper: what still changes then goes to and fro."""


def chinese_whispers(distances: NDArray[np.float64], threshold: float, seed: int) -> NDArray:
    """Clusters of pictures that lie within a threshold of each other.

    An edge weighs 1 − distance / threshold: nearer pictures say more. Among names of equal weight
    the smallest wins, which is as good as any, since they are given at random.

    Args:
        distances: symmetric [N, N], >= 0.
        threshold: > 0; pictures up to this far apart are neighbours.
        seed: of the order of the nodes.

    Returns:
        int64 [N], names of clusters; a picture without neighbours is a cluster of its own.
    """
    count = len(distances)
    random = np.random.default_rng([seed, count])
    names = random.permutation(count)
    neighbours = [np.flatnonzero(line <= threshold) for line in distances]
    neighbours = [near[near != node] for node, near in enumerate(neighbours)]
    weights = [_weights(distances[node, near], threshold) for node, near in enumerate(neighbours)]
    for _ in range(MOST_ROUNDS):
        changed = False
        for node in random.permutation(count):
            if not len(neighbours[node]):
                continue
            said = np.bincount(names[neighbours[node]], weights[node])
            heard = int(said.argmax())
            changed |= heard != names[node]
            names[node] = heard
        if not changed:
            break
    return names


def _weights(distances: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    # Those at the threshold itself must weigh something, or nobody would hear them.
    return 1 - distances / threshold + 1e-9
