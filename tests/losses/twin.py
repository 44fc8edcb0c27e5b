"""Batch-hard triplets spelt out in float64 NumPy, one anchor and one candidate at a time."""

import numpy as np


def batch_hard(embeddings, labels, margin, squared=False, sources=None, anchors="valid"):
    """Mean loss over the anchors that count, and for each its two hardest distances."""
    losses, hardest = [], []
    for a, anchor in enumerate(embeddings):
        positives, negatives = [], []
        for b, other in enumerate(embeddings):
            distance = float(np.sum((anchor - other) ** 2))
            distance = distance if squared else distance**0.5
            if labels[a] != labels[b]:
                negatives.append(distance)
            elif a != b and (sources is None or sources[a] != sources[b]):
                positives.append(distance)
        if not negatives or (not positives and anchors == "valid"):
            continue
        positive, negative = max(positives, default=0.0), min(negatives)
        violation = positive - negative
        soft = margin == "soft"
        losses.append(np.logaddexp(0, violation) if soft else max(violation + margin, 0))
        hardest.append((positive, negative))
    return float(np.mean(losses)) if losses else 0.0, hardest


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
