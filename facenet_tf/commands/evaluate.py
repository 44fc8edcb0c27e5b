"""``python evaluate.py``: a system of any kind, dataset directory → evaluation directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from facenet_tf import cli
from facenet_tf.evaluation.config import EvaluateConfig


def main(argv: Sequence[str]) -> None:
    """Parse the config, measure, and print the figures and what was written."""
    config = cli.load(EvaluateConfig, "evaluate", argv, "Measure a trained face-embedding model.")
    config = config.resolved()
    config.check()  # before TensorFlow is imported, which takes seconds
    from facenet_tf.evaluation.report.console import console_table
    from facenet_tf.evaluation.run import evaluate_run

    figures = evaluate_run(config)
    print(console_table(figures))
    print(f"report  {config.output_directory / 'report.html'}")
    print(f"JSON    {config.output_directory / 'evaluation.json'}")
    if config.output_directory.parent == config.run:
        print(f"curves  tensorboard --logdir {config.run.parent}")


def entry() -> NoReturn:
    """Console entry point."""
    cli.run(main)
