"""What the pictures of the vectors in the plane can be told: `--projection.…`."""

import dataclasses
import importlib.util
from typing import Literal

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options

Method = Literal["pca", "tsne", "umap"]


@dataclasses.dataclass(frozen=True)
class ProjectionOptions(Options):
    """The unseen people's embeddings drawn in the plane."""

    methods: tuple[Method, ...] = ("tsne",)
    """How they are laid out; without a method no plot. pca: the two widest directions; tsne and
    umap: near ones near each other (umap needs the extra `umap`)."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if "umap" in self.methods and importlib.util.find_spec("umap") is None:
            raise InputError(
                "--projection.methods umap needs umap-learn: pip install 'facenet-tf[umap]'"
            )
