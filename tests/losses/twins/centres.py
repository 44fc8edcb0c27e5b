import numpy as np

from . import twin


@twin("centre", {}, {"rate": 0.1})
def centre(embeddings, labels, state, rate=0.5):
    return float(np.mean([np.sum((x - state[y]) ** 2) / 2 for x, y in zip(embeddings, labels)]))


def moved_centres(embeddings, labels, centres, rate):
    """Eq. 4 of Wen et al., one class at a time."""
    moved = np.array(centres, np.float64)
    for label in set(labels):
        mine = embeddings[labels == label]
        moved[label] -= rate * np.sum(centres[label] - mine, axis=0) / (1 + len(mine))
    return moved
