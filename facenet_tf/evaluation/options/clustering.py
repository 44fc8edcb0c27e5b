"""What clustering can be told: `--clustering.…`."""

import dataclasses
from typing import Literal

from facenet_tf.evaluation.options import Options

Name = Literal["dbscan", "hdbscan", "agglomerative", "chinese_whispers"]


@dataclasses.dataclass(frozen=True)
class ClusteringOptions(Options):
    """Pictures of unseen people sorted into people; what the algorithms must be told is chosen on
    the validation people."""

    algorithms: tuple[Name, ...] = ("dbscan", "hdbscan", "agglomerative", "chinese_whispers")
    """Those to try; without one no figures."""
