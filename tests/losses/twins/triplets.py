import itertools

from ..twin import batch_hard
from . import twin

VARIANTS = [
    {"margin": margin, "distance": distance}
    for margin, distance in itertools.product((0.2, "soft"), ("plain", "squared", "cosine"))
]


@twin(
    "triplet/batch_hard", *VARIANTS, {"margin": 0.2, "anchors": "all"}, {"margin": 0.2, "tile": 5}
)
def batch_hard_mean(embeddings, labels, margin, distance="plain", anchors="valid", tile=0):
    return batch_hard(embeddings, labels, margin, distance, anchors=anchors)[0]
