import functools
import itertools

import numpy as np

from facenet_tf.losses.draws import uniform

from ..twin import batch_hard, between, unit
from . import twin

VARIANTS = [
    {"margin": margin, "distance": distance}
    for margin, distance in itertools.product((0.2, "soft"), ("plain", "squared", "cosine"))
]
# Every margin and every distance once, for losses that share the code of the whole table's.
THREE = [
    {"margin": 0.2, "distance": "squared"},
    {"margin": 0.2, "distance": "cosine"},
    {"margin": "soft", "distance": "plain"},
]


@twin(
    "triplet/batch_hard", *VARIANTS, {"margin": 0.2, "anchors": "all"}, {"margin": 0.2, "tile": 5}
)
def batch_hard_mean(embeddings, labels, margin, distance="plain", anchors="valid", tile=0):
    return batch_hard(embeddings, labels, margin, distance, anchors=anchors)[0]


def triplets(embeddings, labels, distance):
    """Of each anchor–positive pair: their distance, and the distances of the negatives."""
    size = len(labels)
    lengths = [[between(one, other, distance) for other in embeddings] for one in embeddings]
    for a, p in itertools.permutations(range(size), 2):
        negatives = [lengths[a][n] for n in range(size) if labels[n] != labels[a]]
        if labels[a] == labels[p] and negatives:
            yield lengths[a][p], negatives


def mean_of_losses(violations, margin):
    violations = np.array(violations)
    losses = np.logaddexp(0, violations) if margin == "soft" else violations + margin
    return float(np.mean(np.maximum(losses, 0))) if len(losses) else 0.0


@twin("triplet/batch_all", *VARIANTS, {"margin": 0.2, "reduction": "active"})
def batch_all(embeddings, labels, margin, distance="plain", reduction="all"):
    violations = [
        positive - negative
        for positive, negatives in triplets(embeddings, labels, distance)
        for negative in negatives
    ]
    if reduction == "active":
        violations = [violation for violation in violations if violation > -margin]
    return mean_of_losses(violations, margin)


def semi_hard_negative(positive, negatives):
    return min((length for length in negatives if length > positive), default=max(negatives))


@twin("triplet/semi_hard", *THREE)
def semi_hard(embeddings, labels, margin, distance="plain"):
    violations = [
        positive - semi_hard_negative(positive, negatives)
        for positive, negatives in triplets(embeddings, labels, distance)
    ]
    return mean_of_losses(violations, margin)


@twin("triplet/hard_positive_semi_hard_negative", *THREE)
def hard_positive_semi_hard_negative(embeddings, labels, margin, distance="plain"):
    violations = []
    for a, anchor in enumerate(embeddings):
        lengths = [between(anchor, other, distance) for other in embeddings]
        positives = [d for b, d in enumerate(lengths) if b != a and labels[b] == labels[a]]
        negatives = [d for b, d in enumerate(lengths) if labels[b] != labels[a]]
        if positives and negatives:
            violations.append(max(positives) - semi_hard_negative(max(positives), negatives))
    return mean_of_losses(violations, margin)


@functools.cache
def draws_of(seed, size):
    return (1.0 - 1e-6) * uniform([size, size], seed).numpy()


def draw_probabilities(embeddings, labels, anchor, cutoff=0.5, nonzero_loss_cutoff=1.4):
    """Probability of each row to be drawn as a negative of the anchor: 1 / q of its distance."""
    rows = unit(embeddings)
    size = rows.shape[1]
    rare = np.zeros(len(rows))
    for b, row in enumerate(rows):
        length = max(between(rows[anchor], row, "plain"), cutoff)
        if labels[b] != labels[anchor] and length < nonzero_loss_cutoff:
            density = length ** (size - 2) * (1 - length**2 / 4) ** ((size - 3) / 2)
            rare[b] = 1 / density
    if not rare.any():
        rare = 1.0 * (labels != labels[anchor])
    return rare / max(rare.sum(), 1e-300)


@twin(
    "triplet/distance_weighted", *THREE, {"margin": 0.5, "cutoff": 0.9, "nonzero_loss_cutoff": 1.2}
)
def distance_weighted(embeddings, labels, seed, margin, distance="plain", **cutoffs):
    size = len(labels)
    draws = draws_of(tuple(int(number) for number in seed), size)
    violations = []
    for a in range(size):
        probabilities = draw_probabilities(embeddings, labels, a, **cutoffs)
        if not probabilities.any():
            continue
        for p in np.flatnonzero(labels == labels[a]):
            if p != a:
                n = int(np.searchsorted(np.cumsum(probabilities), draws[a, p], side="right"))
                to_positive = between(embeddings[a], embeddings[p], distance)
                violations.append(to_positive - between(embeddings[a], embeddings[n], distance))
    return mean_of_losses(violations, margin)


@twin("tfa_semihard", *THREE[:2], {"margin": 0.2})
def tfa_semihard(embeddings, labels, margin, distance="plain"):
    return semi_hard(embeddings, labels, margin, distance)


@twin("tfa_hard", *THREE)
def tfa_hard(embeddings, labels, margin, distance="plain"):
    return batch_hard(embeddings, labels, margin, distance, anchors="all")[0]
