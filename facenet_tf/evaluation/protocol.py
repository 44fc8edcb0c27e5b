"""What a protocol is: one way to judge vectors, with its figures, tables, plots and pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.options import Options
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table

TRAINED = "trained"
"""The name of the measured network among the vectors."""


@dataclasses.dataclass(frozen=True)
class Results:
    """All that came out of an evaluation.

    Attributes:
        config: of the evaluation.
        measured: people and pairs.
        vectors: TRAINED first, then those of each baseline, by the name shown.
        figures: what evaluation.json holds.
    """

    config: EvaluateConfig
    measured: Measured
    vectors: dict[str, Vectors]
    figures: dict[str, Any]

    @property
    def trained(self) -> Vectors:
        """The vectors of the measured network."""
        return self.vectors[TRAINED]


@dataclasses.dataclass(frozen=True)
class Plot:
    """A figure of matplotlib, drawn on its own (no pyplot) in the default colours.

    Attributes:
        name: of its PNG, without the ending; unique among all protocols.
        description: what it shows, in words, for those who cannot see it and as its caption.
        figure: the drawing; black and white become those of the reader's screen.
    """

    name: str
    description: str
    figure: Figure


@dataclasses.dataclass(frozen=True)
class Strip:
    """Pictures that belong side by side: a pair, a person, a cluster.

    Attributes:
        caption: what they are.
        rows: of the measured roster; pictures without a record are named, not shown.
        captions: one for each picture; without them their keys.
    """

    caption: str
    rows: tuple[int, ...]
    captions: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A contact sheet in the report.

    Attributes:
        title: its heading.
        note: how the pictures were chosen.
        strips: from top to bottom.
    """

    title: str
    note: str
    strips: tuple[Strip, ...]


@dataclasses.dataclass(frozen=True)
class Protocol:
    """One way to judge vectors. How to add one: see `registry`.

    Attributes:
        name: key in evaluation.json; the option group `--NAME.…`, if there are `options`.
        title: heading in console and report.
        meaning: one sentence for a reader who is no specialist: what the number says.
        figures: vectors of one network, what is measured, config → JSON-ready figures;
            {"skipped": why} where the data do not allow any; None where the config asks for none,
            and evaluation.json then has no such key.
        tables: content of evaluation.json → tables; asked only where `figures` gave some.
        verdict: content of evaluation.json → sentences for the top of the report, each with its
            figure; asked like `tables`.
        plots: results → plots; asked like `tables`.
        sheets: results → contact sheets; asked like `tables`.
        save: results, directory → further files; asked like `tables`.
        files: names of all files and directories that `plots` and `save` may leave beside
            evaluation.json, so that the next evaluation clears them.
        options: the class of the field `name` of EvaluateConfig.
        check: what is measured, config → reads the files that the options name, if they name any:
            raises InputError for a bad one before pictures are embedded, which may take hours.
        for_baselines: whether the baselines and the systems to compare with get it too; for cheap
            ones.
    """

    name: str
    title: str
    meaning: str
    figures: Callable[[Vectors, Measured, EvaluateConfig], dict[str, Any] | None]
    tables: Callable[[dict[str, Any]], list[Table]]
    verdict: Callable[[dict[str, Any]], list[str]] | None = None
    plots: Callable[[Results], list[Plot]] | None = None
    sheets: Callable[[Results], list[Sheet]] | None = None
    save: Callable[[Results, Path], None] | None = None
    files: tuple[str, ...] = ()
    options: type[Options] | None = None
    check: Callable[[Measured, EvaluateConfig], None] | None = None
    for_baselines: bool = False
