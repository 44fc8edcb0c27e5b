import numpy as np

from ..twin import unit
from . import twin


def margin_softmax(embeddings, labels, prototypes, scale, of_true_class):
    """Mean cross-entropy, the cosine of the true class changed by a function of its angle."""
    return float(np.mean(margin_losses(embeddings, labels, prototypes, scale, of_true_class)))


def margin_losses(embeddings, labels, prototypes, scale, of_true_class):
    """For each example; a prototype of several sub-centres is as near as the nearest of them."""
    losses = []
    for row, label in zip(unit(embeddings), labels, strict=True):
        cosines = np.array([np.max(unit(np.atleast_2d(each)) @ row) for each in prototypes])
        cosines[label] = of_true_class(np.arccos(np.clip(cosines[label], -1, 1)))
        losses.append(cross_entropy(scale * cosines, label))
    return losses


def cross_entropy(logits, label):
    return np.logaddexp.reduce(logits) - logits[label]


def monotone(phase):
    """The cosine, from its first valley at pi on mirrored downwards again and again."""
    turns = 0
    while phase > np.pi:
        phase, turns = phase - np.pi, turns + 1
    return np.cos(phase) - 2 * turns


def added(angle, margin):
    """ArcFace's cosine of the widened angle."""
    if angle + margin < np.pi:
        return np.cos(angle + margin)
    return np.cos(angle) - margin * np.sin(margin)


@twin("softmax")
def softmax(embeddings, labels, prototypes):
    pairs = zip(embeddings @ prototypes.T, labels, strict=True)
    return float(np.mean([cross_entropy(logits, label) for logits, label in pairs]))


@twin("normface", {"scale": 8.0}, {})
def normface(embeddings, labels, prototypes, scale=64.0):
    return margin_softmax(embeddings, labels, prototypes, scale, np.cos)


@twin("cosface", {"scale": 8.0, "margin": 0.35}, {"scale": 64.0, "margin": 0.2}, {"margin": 0.0})
def cosface(embeddings, labels, prototypes, scale=64.0, margin=0.35):
    return margin_softmax(
        embeddings, labels, prototypes, scale, lambda angle: np.cos(angle) - margin
    )


@twin("arcface", {"scale": 8.0, "margin": 0.5}, {"scale": 64.0, "margin": 1.2}, {"margin": 0.0})
def arcface(embeddings, labels, prototypes, scale=64.0, margin=0.5):
    return margin_softmax(embeddings, labels, prototypes, scale, lambda angle: added(angle, margin))


@twin(
    "subcentre_arcface", {"scale": 8.0, "margin": 0.5}, {"margin": 1.2}, {"scale": 8.0, "margin": 0}
)
def subcentre_arcface(embeddings, labels, prototypes, scale=64.0, margin=0.5):
    return arcface(embeddings, labels, prototypes, scale, margin)


@twin(
    "combined_margin",
    {"scale": 8.0},
    {"scale": 8.0, "factor": 0.9, "angle": 0.4, "margin": 0.15},
    {"scale": 24.0, "factor": 2.5, "angle": 0.1, "margin": 0.1},
)
def combined_margin(embeddings, labels, prototypes, scale=64.0, factor=1.0, angle=0.3, margin=0.2):
    def widened(theta):
        if factor == 1:
            return added(theta, angle) - margin
        return monotone(factor * theta + angle) - margin

    return margin_softmax(embeddings, labels, prototypes, scale, widened)


@twin(
    "sphereface",
    {"annealing": 0.0},
    {"scale": 8.0, "margin": 3.0},
    {"scale": "norm", "margin": 1.5, "annealing": 1.0},
)
def sphereface(embeddings, labels, prototypes, scale="norm", margin=4.0, annealing=5.0):
    def widened(angle):
        return (annealing * np.cos(angle) + monotone(margin * angle)) / (1 + annealing)

    losses = [
        margin_losses(
            row[None],
            [label],
            prototypes,
            np.linalg.norm(row) if scale == "norm" else scale,
            widened,
        )
        for row, label in zip(embeddings, labels, strict=True)
    ]
    return float(np.mean(losses))


@twin(
    "adaface",
    {"scale": 8.0},
    {"scale": 24.0, "margin": 0.5, "concentration": 1.5, "momentum": 0.0},
    {"scale": 8.0, "margin": 1.0, "concentration": 1.0, "momentum": 0.5},
)
def adaface(
    embeddings,
    labels,
    prototypes,
    norms,
    state,
    scale=64.0,
    margin=0.4,
    concentration=0.333,
    momentum=0.99,
):
    norms = np.clip(norms, 0.001, 100)
    mean = momentum * state[0] + (1 - momentum) * np.mean(norms)
    deviation = momentum * state[1] + (1 - momentum) * np.std(norms, ddof=1)
    losses = []
    for row, label, norm in zip(embeddings, labels, norms, strict=True):
        quality = np.clip(concentration * (norm - mean) / (deviation + 0.001), -1, 1)

        def widened(angle, quality=quality):
            turned = np.clip(angle - margin * quality, 0, np.pi)
            return np.cos(turned) - margin * quality - margin

        losses.append(margin_losses(row[None], [label], prototypes, scale, widened))
    return float(np.mean(losses))
