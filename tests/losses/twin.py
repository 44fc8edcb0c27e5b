"""Batch-hard triplets spelt out in float64 NumPy, one anchor and one candidate at a time."""

import numpy as np


def batch_hard(embeddings, labels, margin, distance="plain", sources=None, anchors="valid"):
    """Mean loss over the anchors that count, and for each its two hardest distances."""
    losses, hardest = [], []
    for a, anchor in enumerate(embeddings):
        positives, negatives = [], []
        for b, other in enumerate(embeddings):
            length = between(anchor, other, distance)
            if labels[a] != labels[b]:
                negatives.append(length)
            elif a != b and (sources is None or sources[a] != sources[b]):
                positives.append(length)
        if not negatives or (not positives and anchors == "valid"):
            continue
        positive, negative = max(positives, default=0.0), min(negatives)
        violation = positive - negative
        soft = margin == "soft"
        losses.append(np.logaddexp(0, violation) if soft else max(violation + margin, 0))
        hardest.append((positive, negative))
    return float(np.mean(losses)) if losses else 0.0, hardest


def between(left, right, distance):
    """Distance of two vectors by its definition."""
    if distance == "cosine":
        return 1 - float(left @ right) / float(np.linalg.norm(left) * np.linalg.norm(right))
    length = float(np.linalg.norm(left - right))
    return length**2 if distance == "squared" else length


def finite_differences(function, point, step=1e-6):
    """Gradient of a scalar function of a float64 array by central differences."""
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        moved = point.copy()
        moved[index] += step
        above = function(moved)
        moved[index] -= 2 * step
        gradient[index] = (above - function(moved)) / (2 * step)
    return gradient


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
