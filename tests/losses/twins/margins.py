import numpy as np

from ..twin import unit
from . import twin


def margin_softmax(embeddings, labels, prototypes, scale, of_true_class):
    """Mean cross-entropy, the cosine of the true class changed by a function of its angle."""
    losses = []
    for row, label in zip(unit(embeddings), labels, strict=True):
        cosines = unit(prototypes) @ row
        cosines[label] = of_true_class(np.arccos(np.clip(cosines[label], -1, 1)))
        logits = scale * cosines
        losses.append(np.logaddexp.reduce(logits) - logits[label])
    return float(np.mean(losses))


@twin("cosface", {"scale": 8.0, "margin": 0.35}, {"scale": 64.0, "margin": 0.2}, {"margin": 0.0})
def cosface(embeddings, labels, prototypes, scale=64.0, margin=0.35):
    return margin_softmax(
        embeddings, labels, prototypes, scale, lambda angle: np.cos(angle) - margin
    )


@twin("arcface", {"scale": 8.0, "margin": 0.5}, {"scale": 64.0, "margin": 1.2}, {"margin": 0.0})
def arcface(embeddings, labels, prototypes, scale=64.0, margin=0.5):
    def widened(angle):
        if angle + margin < np.pi:
            return np.cos(angle + margin)
        return np.cos(angle) - margin * np.sin(margin)

    return margin_softmax(embeddings, labels, prototypes, scale, widened)
