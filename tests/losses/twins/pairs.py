import numpy as np

from ..twin import between, unit
from . import twin


def compared(a, labels, sources):
    """The rows that an anchor has as positives and as negatives."""
    positives, negatives = [], []
    for b, label in enumerate(labels):
        if label != labels[a]:
            negatives.append(b)
        elif b != a and (sources is None or sources[b] != sources[a]):
            positives.append(b)
    return positives, negatives


def anchors(labels, sources, alone=False):
    """Every anchor with a positive and a negative (alone: a positive is enough), and both."""
    for a in range(len(labels)):
        positives, negatives = compared(a, labels, sources)
        if positives and (negatives or alone):
            yield a, positives, negatives


def mean(losses):
    return float(np.mean(losses)) if losses else 0.0


def contrastive_pair(one, other, same, margin):
    distance = between(one, other, "plain")
    return distance**2 / 2 if same else max(margin - distance, 0) ** 2 / 2


@twin("contrastive/all", {"margin": 1.3}, {})
def contrastive_all(embeddings, labels, margin=1.0, sources=None):
    losses = []
    for a, anchor in enumerate(embeddings):
        positives, negatives = compared(a, labels, sources)
        losses += [contrastive_pair(anchor, embeddings[p], True, margin) for p in positives]
        losses += [contrastive_pair(anchor, embeddings[n], False, margin) for n in negatives]
    return mean(losses)


@twin("contrastive/batch_hard", {"margin": 1.3}, {"tile": 5})
def contrastive_batch_hard(embeddings, labels, margin=1.0, tile=0, sources=None):
    losses = []
    for a, anchor in enumerate(embeddings):
        positives, negatives = compared(a, labels, sources)
        if positives:
            farthest = max(positives, key=lambda p: between(anchor, embeddings[p], "plain"))
            losses.append(contrastive_pair(anchor, embeddings[farthest], True, margin))
        if negatives:
            nearest = min(negatives, key=lambda n: between(anchor, embeddings[n], "plain"))
            losses.append(contrastive_pair(anchor, embeddings[nearest], False, margin))
    return mean(losses)


@twin("n_pairs", {}, {"scale": 20.0, "l2": 0.1})
def n_pairs(embeddings, labels, scale=1.0, l2=0.0, sources=None):
    losses = []
    for a, positives, negatives in anchors(labels, sources):
        anchor, positive = embeddings[a], embeddings[positives[0]]
        classes = list(labels)
        representatives = [n for n in negatives if classes.index(labels[n]) == n]
        products = [anchor @ embeddings[n] - anchor @ positive for n in representatives]
        loss = np.log(1 + np.sum(np.exp(scale * np.array(products))))
        losses.append(loss + l2 * (anchor @ anchor + positive @ positive) / 4)
    return mean(losses)


@twin(
    "multi_similarity",
    {},
    {"alpha": 1.0, "beta": 10.0, "base": 1.0, "epsilon": 3.0},
    {"epsilon": -0.3},
)
def multi_similarity(embeddings, labels, alpha=2.0, beta=50.0, base=0.5, epsilon=0.1, sources=None):
    losses = []
    cosines = unit(embeddings) @ unit(embeddings).T
    for a, positives, negatives in anchors(labels, sources):
        of_positives, of_negatives = cosines[a, positives], cosines[a, negatives]
        kept_positives = of_positives[of_positives < of_negatives.max() + epsilon]
        kept_negatives = of_negatives[of_negatives > of_positives.min() - epsilon]
        losses.append(
            np.log(1 + np.exp(-alpha * (kept_positives - base)).sum()) / alpha
            + np.log(1 + np.exp(beta * (kept_negatives - base)).sum()) / beta
        )
    return mean(losses)


@twin("circle", {}, {"margin": 0.4, "gamma": 80.0})
def circle(embeddings, labels, margin=0.25, gamma=256.0, sources=None, held=None):
    """`held`: the embeddings that the weights are of, for differences that leave them alone."""
    losses = []
    cosines = unit(embeddings) @ unit(embeddings).T
    fixed = cosines if held is None else unit(held) @ unit(held).T
    for a, positives, negatives in anchors(labels, sources):
        of_positives = [
            -gamma * max(1 + margin - fixed[a, p], 0) * (cosines[a, p] - (1 - margin))
            for p in positives
        ]
        of_negatives = [
            gamma * max(fixed[a, n] + margin, 0) * (cosines[a, n] - margin) for n in negatives
        ]
        products = [p + n for p in of_positives for n in of_negatives]
        losses.append(np.logaddexp.reduce([0.0, *products]))
    return mean(losses)


@twin("supervised_contrastive", {}, {"temperature": 0.5})
def supervised_contrastive(embeddings, labels, temperature=0.1, sources=None):
    losses = []
    logits = unit(embeddings) @ unit(embeddings).T / temperature
    for a, positives, negatives in anchors(labels, sources, alone=True):
        total = np.exp(logits[a, positives + negatives]).sum()
        losses.append(np.mean([-np.log(np.exp(logits[a, p]) / total) for p in positives]))
    return mean(losses)
