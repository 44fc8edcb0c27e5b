"""What made embeddings, and how: kept beside them, since D alone tells no two networks apart."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from facenet_tf.thresholds import difference

LOOKS = ("flip_average", "jitter", "degrade")
"""Options that all systems of an evaluation share; others say how the crops of one are made."""


@dataclasses.dataclass(frozen=True)
class Made:
    """What made embeddings.

    Attributes:
        model_sha256: of the file or directory that holds the model.
        embedding: how they were made, by the name of the option.
    """

    model_sha256: str
    embedding: dict[str, Any]

    @property
    def looks(self) -> dict[str, Any]:
        """What was averaged, and how crops were degraded."""
        return {name: self.embedding.get(name) for name in LOOKS}

    def unlike(self, other: Made) -> str | None:
        """Why these embeddings do not lie among the other ones; None where they do."""
        ours, theirs = (each.model_sha256[:12] for each in (self, other))
        if self.model_sha256 != other.model_sha256:
            return f"by weights of SHA-256 {ours}…, not {theirs}…"
        found = difference(self.embedding, other.embedding)
        return found and f"with {found}"

    def as_text(self) -> str:
        """As a file of embeddings holds it."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def of_text(text: str) -> Made | None:
    """What `Made.as_text` wrote; None of any other text."""
    try:
        content = json.loads(text)
        return Made(str(content["model_sha256"]), dict(content["embedding"]))
    except (ValueError, KeyError, TypeError):
        return None
