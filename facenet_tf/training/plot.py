"""Training runs side by side: ``python -m facenet_tf.training.plot RUN… [--output PNG]``.

The curves come from each run's history.csv alone, so that a run can be looked at while it trains,
and runs of other versions beside it.
"""

from __future__ import annotations

import csv
import itertools
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from tyro.conf import Positional

from facenet_tf import cli
from facenet_tf.errors import InputError, require

logger = logging.getLogger(__name__)

FIGURES = (
    "loss",
    "val_auc",
    "val_eer",
    "val_d_prime",
    "val_effective_rank",
    "active_triplets",
    "mean_distance",
    "gradient_norm",
    "learning_rate",
)
"""What is shown unless told otherwise, as far as the runs have it."""

Axis = Literal["epoch", "step", "pictures", "hours"]

# By what the curves may be drawn: the column of history.csv, and how many of it are one.
_AXES: dict[Axis, tuple[str, float]] = {
    "epoch": ("epoch", 1),
    "step": ("step", 1),
    "pictures": ("pictures", 1),
    "hours": ("seconds", 3600),
}

_COLUMNS = 3
_PLACES = {column for column, _ in _AXES.values()}
_DASHES = ("-", "--", "-.")


@dataclass(frozen=True)
class PlotConfig:
    """What the comparison shows, and where it goes."""

    runs: Positional[tuple[Path, ...]] = ()
    """run directories of train.py, finished or not"""
    output: Path = Path("runs.png")
    """picture to write, PNG; one that is there is replaced"""
    figures: tuple[str, ...] = ()
    """columns of history.csv, a panel for each; without it the usual ones that the runs have"""
    against: Axis = "epoch"
    """what the curves are drawn over: an epoch of one run may be longer than that of another; hours
    are of training"""

    def check(self) -> None:
        """Raise `InputError` for the first option that cannot be meant."""
        if not self.runs:
            raise InputError("no run to plot: name run directories of train.py")
        # A slip here must not cost a run its history.
        is_png = self.output.suffix.lower() == ".png"
        require(is_png, "--output", self.output, "give a name that ends in .png")


@dataclass(frozen=True)
class Curves:
    """The history of one run.

    Attributes:
        name: for the legend.
        places: float64 [E], of the epochs' ends on the axis; NaN where that is not known.
        stages: of each epoch; none where the history does not say.
        figures: float64 [E] each, NaN in an epoch that does not have it.
    """

    name: str
    places: NDArray[np.float64]
    stages: tuple[str, ...]
    figures: dict[str, NDArray[np.float64]]

    def changes_of_stage(self) -> list[float]:
        """Between which epochs' places another stage begins: the middle of the two."""
        pairs = itertools.pairwise(zip(self.places.tolist(), self.stages))
        return [(before + after) / 2 for (before, old), (after, new) in pairs if old != new]


def read_curves(run: Path, name: str, against: Axis = "epoch") -> Curves:
    """What a run's history.csv holds.

    Raises:
        InputError: there is none, it holds no epoch, a cell is no number, or it does not say what
            the curves are to be drawn over.
    """
    path = run / "history.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            columns, rows = list(reader.fieldnames or ()), list(reader)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name run directories of train.py") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no history of a run: {error}") from error
    if rows and "epoch" not in columns:
        raise InputError(f"{path} is no history of a run: it has no column epoch")
    if not rows:
        raise InputError(f"{path}: no epoch is finished yet")
    stages = tuple(row["stage"] or "" for row in rows) if "stage" in columns else ()
    numbers = {
        column: np.array([_number(path, row, column) for row in rows])
        for column in columns
        if column != "stage"
    }
    column, unit = _AXES[against]
    if column not in numbers:
        raise InputError(f"{path} is of an older run: it has no column {column} (--against)")
    figures = {name: values for name, values in numbers.items() if name not in _PLACES}
    return Curves(name, numbers[column] / unit, stages, figures)


def chosen_figures(runs: Sequence[Curves], asked: Sequence[str]) -> list[str]:
    """The figures to show: what was asked for, or the usual ones that a run has.

    Raises:
        InputError: no run has one that was asked for, or any at all.
    """
    known = sorted({name for run in runs for name in run.figures})
    for name in asked:
        require(name in known, "--figures", name, f"no run has it; there are {', '.join(known)}")
    chosen = list(dict.fromkeys(asked)) or [name for name in FIGURES if name in known] or known
    if not chosen:
        raise InputError("there is nothing to plot: the histories hold no figure")
    return chosen


def draw(runs: Sequence[Curves], figures: Sequence[str], against: Axis = "epoch") -> Figure:
    """A panel per figure with a curve per run; dotted where a stage changes."""
    columns = min(_COLUMNS, len(figures))
    rows = math.ceil(len(figures) / columns)
    figure = Figure(figsize=(4.5 * columns, 2.8 * rows + 0.8), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for axes, name in itertools.zip_longest(grid.flat, figures):
        if name is None:
            axes.set_axis_off()
        else:
            _draw_panel(axes, runs, name)
    shown = [Line2D([], [], **style) for style in _styles(len(runs))]
    names = [run.name for run in runs]
    figure.legend(shown, names, loc="outside upper center", ncols=columns, fontsize="small")
    figure.supxlabel(f"{against} (dotted: the stage changes)", fontsize="small")
    return figure


def plot(config: PlotConfig) -> tuple[list[Curves], list[str]]:
    """Write the picture; returns the runs and the figures that it shows.

    Raises:
        InputError: bad option, no run with a history, or a picture that cannot be written.
    """
    config.check()
    paths = list(dict.fromkeys(config.runs))
    runs = _readable(paths, config.against)
    figures = chosen_figures(runs, config.figures)
    for run, name in itertools.product(runs, figures):
        if name not in run.figures:
            logger.warning("%s has no %s: it is not in that panel", run.name, name)
    try:
        config.output.parent.mkdir(parents=True, exist_ok=True)
        picture = draw(runs, figures, config.against)
        picture.savefig(config.output, dpi=110, metadata={"Software": None})
    except OSError as error:
        raise InputError(f"--output {config.output}: {error.strerror}") from error
    return runs, figures


def main(argv: Sequence[str]) -> None:
    """Parse the config, draw, and print what was written."""
    config = cli.load(PlotConfig, "plot", argv, "Compare training runs in one picture.")
    runs, figures = plot(config)
    print(f"runs     {', '.join(f'{run.name} ({len(run.places)} epochs)' for run in runs)}")
    print(f"figures  {', '.join(figures)}")
    print(f"picture  {config.output}")


def _readable(paths: Sequence[Path], against: Axis) -> list[Curves]:
    """The curves of all runs that have some: among all that a pattern fits may be other things.

    Raises:
        InputError: none has.
    """
    runs: list[Curves] = []
    problems: list[str] = []
    for path, name in zip(paths, _names(paths)):
        try:
            runs.append(read_curves(path, name, against))
        except InputError as error:
            problems.append(str(error))
    if not runs:
        first = f"none of these {len(paths)} can be drawn; the first: " if len(paths) > 1 else ""
        raise InputError(f"{first}{problems[0]}")
    for problem in problems:
        logger.warning("left out: %s", problem)
    return runs


def _draw_panel(axes: Axes, runs: Sequence[Curves], name: str) -> None:
    for run, style in zip(runs, _styles(len(runs))):
        if name not in run.figures:
            continue
        axes.plot(run.places, run.figures[name], **style, marker=".", markersize=4)
        for place in run.changes_of_stage():
            axes.axvline(place, color=style["color"], linestyle=":", linewidth=1)
    axes.set_title(name, fontsize="medium")
    axes.tick_params(labelbottom=True)
    axes.grid(alpha=0.3)


def _styles(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        dashes = _DASHES[number // 10 % len(_DASHES)]
        yield {"color": f"C{number % 10}", "linestyle": dashes}


def _names(paths: Sequence[Path]) -> list[str]:
    """The directories' own names, or the whole paths where two are alike."""
    names = [path.resolve().name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _number(path: Path, row: dict[str, str | None], column: str) -> float:
    cell = row[column]
    try:
        return float(cell) if cell else math.nan
    except ValueError:
        raise InputError(
            f"{path} is no history of a run: {column} is {cell!r} in epoch {row['epoch']}"
        ) from None


if __name__ == "__main__":
    cli.run(main)
