"""What the pictures of the vectors in the plane can be told: `--projection.…`."""

import dataclasses
from typing import Literal

from facenet_tf.evaluation.options import Options

Method = Literal["pca", "tsne"]


@dataclasses.dataclass(frozen=True)
class ProjectionOptions(Options):
    """The unseen people's embeddings drawn in the plane."""

    methods: tuple[Method, ...] = ("tsne",)
    """How they are laid out; without a method no plot. pca: the two widest directions; tsne: near
    ones near each other."""
