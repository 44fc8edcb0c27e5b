"""The architectures as a table: ``python -m facenet_tf.models [NAME…]``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
from tqdm import tqdm
from tyro.conf import Positional

from facenet_tf import cli, models
from facenet_tf.errors import InputError, require
from facenet_tf.models import table
from facenet_tf.preprocessing import Preprocessing


@dataclass(frozen=True)
class TableConfig:
    """Which architectures, and what of them."""

    names: Positional[tuple[str, ...]] = ()
    """architectures; without any: all; with --summary and --plot also "keras:" and the name of a
    network of keras.applications, for crops of the usual size"""
    speed: bool = True
    """measure images per second on this machine, some seconds for each"""
    json: Path | None = None
    """file for the figures of the table"""
    markdown: Path | None = None
    """file for the table as it is printed"""
    summary: bool = False
    """print the layers of each in place of the table"""
    plot: Path | None = None
    """draw the layers of one architecture in place of the table: a name that ends in .png, .svg or
    .pdf; wants the extra plot and Graphviz"""

    def check(self) -> None:
        """Raise `InputError` for the first option that cannot be meant."""
        for name in self.names:
            try:
                models.options_of(name)
            except ValueError as error:
                raise InputError(str(error)) from error
            shown = name in models.names() or self.summary or bool(self.plot)
            require(shown, "architecture", name, "no paper has it; give --summary or --plot")
        for option in ("json", "markdown", "plot"):
            path = getattr(self, option)
            there = path is None or path.parent.is_dir()
            require(there, f"--{option}", path, "make its directory first")
        if self.plot:
            require(len(self.names) == 1, "--plot", self.plot, "name one architecture to draw")
            drawn = self.plot.suffix.lower() in (".png", ".svg", ".pdf")
            require(drawn, "--plot", self.plot, "give a name that ends in .png, .svg or .pdf")


def main(argv: Sequence[str]) -> None:
    """Print the table, or the layers."""
    config = cli.load(TableConfig, "models", argv, __doc__)
    config.check()
    names = config.names or models.names()
    if config.plot:
        _plot(names[0], config.plot)
    if config.summary:
        for name in names:
            _as_published(name).summary(line_length=100)
    if not (config.plot or config.summary):
        _tabulate(names, config)


def _tabulate(names: Sequence[str], config: TableConfig) -> None:
    rows = []
    for name in tqdm(names, unit="model", leave=False):
        rows.append(table.measure(name, config.speed))
        keras.backend.clear_session()  # the largest take half a gigabyte
    text = table.markdown(rows)
    if config.json:
        config.json.write_text(json.dumps(table.to_json(rows), indent=1) + "\n")
    if config.markdown:
        config.markdown.write_text(text)
    print(text, end="")


def _plot(name: str, path: Path) -> None:
    try:
        keras.utils.plot_model(
            _as_published(name), to_file=path, show_shapes=True, show_layer_names=True
        )
    except ImportError as error:
        raise InputError(
            f"--plot {path}: pip install 'facenet-tf[plot]', and install Graphviz, which draws it"
        ) from error
    print(path)


def _as_published(name: str) -> keras.Model:
    published = name in models.names()
    crops = models.published(name).preprocessing if published else Preprocessing()
    return models.build(name, preprocessing=crops)


if __name__ == "__main__":
    cli.run(main)
