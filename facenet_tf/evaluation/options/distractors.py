"""What identification among strangers can be told: `--distractors.…`."""

import dataclasses
from pathlib import Path

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options
from facenet_tf.search import Kind
from facenet_tf.search.faiss_index import import_faiss


@dataclasses.dataclass(frozen=True)
class DistractorsOptions(Options):
    """Identification in a gallery that is filled with strangers."""

    sizes: tuple[int, ...] = ()
    """Numbers of strangers, such as 1000 10000 100000 1000000; without a number no figures."""
    source: Path | None = None
    """Embeddings of the strangers by the same network, .npz or .csv: the embeddings.npz of an
    evaluation of another dataset (with --include-training). Beyond them, and without a file, they
    are made up."""
    search: Kind = "exact"
    """How the nearest strangers are found: exact (in NumPy), faiss_exact, or approximately by hnsw
    or ivf_pq; all but the first need the extra `search`."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if any(size < 1 for size in self.sizes):
            raise InputError("--distractors.sizes: each must be 1 or more")
        if self.source is not None and not self.sizes:
            raise InputError("--distractors.source needs --distractors.sizes")
        if self.source is not None and not self.source.is_file():
            raise InputError(f"--distractors.source {self.source}: no such file")
        if self.sizes and self.search != "exact":
            import_faiss()
