"""Template verification: sets of pictures against sets of pictures, as in IJB-A, B and C."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.datasets.template_lists import (
    TemplatePairs,
    read_qualities,
    read_template_pairs,
)
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.pair_figures import ranking_figures
from facenet_tf.evaluation.options.templates import TemplatesOptions
from facenet_tf.evaluation.pair_sets import PairSet, ScoredPairs
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.evaluation.protocols.verification import points_table
from facenet_tf.evaluation.roster import NO_RECORD, SEEN, Roster, Vectors
from facenet_tf.evaluation.table import Table

MEDIA, WEIGHTED = "media_average", "quality_weighted"
_POOLINGS = {
    MEDIA: "the mean within each photograph or video, then over these, scaled to length 1",
    WEIGHTED: "the same with each picture counting by its quality",
}


@dataclasses.dataclass(frozen=True)
class _Templates:
    """N members of templates as rows of the roster, whether a measured system knows whom they show,
    and the pairs of templates to compare."""

    rows: NDArray[np.int64]
    seen: NDArray[np.bool_]
    template: NDArray[np.int64]
    medium: NDArray[np.str_]
    quality: NDArray[np.float64] | None
    subject: dict[int, str]
    pairs: TemplatePairs


def check(measured: Measured, config: EvaluateConfig) -> None:
    """Raises InputError for bad lists of templates."""
    if config.templates.members:
        _read(measured, config)


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """{pooling: figures over the template pairs}; None where no templates are given."""
    if not config.templates.members:
        return None
    asked = _read(measured, config)
    qualities = {MEDIA: None} | ({} if asked.quality is None else {WEIGHTED: asked.quality})
    pictures = np.unique(asked.rows)
    lost = int(np.isnan(vectors.values[pictures]).any(axis=1).sum())
    found = {}
    for name, quality in qualities.items():
        pooled = _pooled(vectors, asked, quality)
        pairs, hidden = _without_seen(_pair_set(pooled.roster, asked.pairs, name), pooled.roster)
        if not len(pairs) or pairs.genuine.all() or not pairs.genuine.any():
            return {"skipped": "the pairs of templates are not both of one and of two people"}
        scored = ScoredPairs.of(pooled, pairs)
        found[name] = {
            **ranking_figures(
                scored, fars=config.fars, bootstrap=config.bootstrap, seed=config.seed
            ),
            "templates": len(pooled.roster),
            "templates_without_vector": int(pooled.roster.lost.sum()),
            "pictures": len(pictures),
            "pictures_without_vector": lost,
            "pairs_of_seen_people_left_out": hidden,
        }
    return found


def _read(measured: Measured, config: EvaluateConfig) -> _Templates:
    options = config.templates
    members, rows = measured.members, measured.rows_of_members
    assert options.pairs is not None  # `check`
    assert members is not None and rows is not None  # `choose_measured`
    if (rows < 0).any():
        first = members.keys[int(np.argmax(rows < 0))]
        raise InputError(
            f"--templates.members: {int((rows < 0).sum())} of {len(rows)} pictures are not in the "
            f"dataset, or more than once (first: {first}): build it from all of them; embeddings "
            "of a file need these names as `keys`"
        )
    quality = read_qualities(options.quality, members.keys) if options.quality else None
    pairs = read_template_pairs(options.pairs, members)
    seen = measured.roster.of_people(measured.seen)[rows]
    return _Templates(rows, seen, members.template, members.medium, quality, members.subject, pairs)


def _pooled(vectors: Vectors, asked: _Templates, quality: NDArray | None) -> Vectors:
    """A roster of templates, each seen as soon as one of its pictures shows a seen person; whom it
    shows is what the lists say, or else whom its first picture does."""
    templates, values = metrics.pooled_templates(
        vectors.values[asked.rows], asked.template, asked.medium, quality
    )
    first = asked.rows[np.unique(asked.template, return_index=True)[1]]
    lost = np.isnan(values).any(axis=1)
    members = vectors.roster
    names = zip(templates.tolist(), members.identities[first].tolist(), strict=True)
    roster = Roster(
        keys=templates.astype(np.str_),
        identities=np.array([asked.subject.get(number, name) for number, name in names]),
        splits=np.where(np.isin(templates, asked.template[asked.seen]), SEEN, "test"),
        outcomes=np.where(lost, "no_vector", "ok"),
        records=np.where(lost, NO_RECORD, 0),
        duplicate=np.zeros(len(templates), bool),
    )
    return Vectors(roster, values)


def _pair_set(roster: Roster, pairs: TemplatePairs, pooling: str) -> PairSet:
    numbers = roster.keys.astype(np.int64)
    left, right = (np.searchsorted(numbers, side) for side in (pairs.left, pairs.right))
    return PairSet(f"pairs of templates, each {_POOLINGS[pooling]}", left, right, pairs.genuine)


def _without_seen(pairs: PairSet, roster: Roster) -> tuple[PairSet, int]:
    seen = roster.splits == SEEN
    kept = ~seen[pairs.left] & ~seen[pairs.right]
    return pairs.where(kept), int((~kept).sum())


def tables(results: dict[str, Any]) -> list[Table]:
    """Per pooling the points on the curve, with intervals."""
    return [_table(name, found) for name, found in results["templates"].items()]


def _table(pooling: str, found: dict[str, Any]) -> Table:
    table = points_table(pooling.replace("_", " "), found)
    note = (
        f"{table.note}; {found['pictures_without_vector']} of {found['pictures']} pictures have no "
        f"vector and no part in their templates, {found['templates_without_vector']} of "
        f"{found['templates']} templates have none at all"
    )
    return dataclasses.replace(table, detail=False, note=note)


TEMPLATES = Protocol(
    "templates",
    "Templates",
    "Whether the network can tell if two sets of pictures, of photographs and videos, show the "
    "same person, each set being made into one vector first.",
    figures,
    tables,
    check=check,
    options=TemplatesOptions,
)
