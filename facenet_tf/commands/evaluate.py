"""``python evaluate.py``: a system of any kind, dataset directory → evaluation directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from facenet_tf import cli
from facenet_tf.evaluation.config import EvaluateConfig


def main(argv: Sequence[str]) -> None:
    """Parse the config, measure, and print the figures and what was written."""
    config = configured(argv)
    config.check()  # before TensorFlow is imported, which takes seconds
    from facenet_tf.evaluation.report.console import console_table
    from facenet_tf.evaluation.run import evaluate_run

    figures = evaluate_run(config)
    print(console_table(figures))
    print(f"report  {config.output_directory / 'report.html'}")
    print(f"JSON    {config.output_directory / 'evaluation.json'}")
    if config.output_directory.parent == config.run:
        print(f"curves  tensorboard --logdir {config.run.parent}")


def configured(argv: Sequence[str]) -> EvaluateConfig:
    """The config that a command line means, resolved.

    Raises:
        InputError: see `cli.load` and `EvaluateConfig.resolved`.
    """
    about = "Measure a trained face-embedding model."
    defaults_for = EvaluateConfig.for_the_weights_of
    return cli.load(EvaluateConfig, "evaluate", argv, about, defaults_for).resolved()


def entry() -> NoReturn:
    """Console entry point."""
    cli.run(main)
