"""``python train.py``: dataset directory → run directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from facenet_tf import cli
from facenet_tf.errors import Interrupted
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.run_directory import RunDirectory


def main(argv: Sequence[str]) -> None:
    """Parse the config, train, and print what was written.

    Raises:
        KeyboardInterrupt: before a new run had begun; there is nothing to go on with.
        Interrupted: at any later moment, or at any moment with ``--resume``.
    """
    try:
        _train(configured(argv))
    except KeyboardInterrupt:
        if "--resume" in argv:
            raise Interrupted("interrupted before a step was taken: go on with --resume") from None
        raise


def _train(config: TrainConfig) -> None:
    # What needs no TensorFlow is refused before its import, which takes seconds.
    config.check()
    run = RunDirectory(config.run_directory)
    run.check_free(overwrite=config.overwrite, resume=config.resume)
    from facenet_tf.training.fit import train

    result = train(config)
    best = "" if result.best_auc is None else f", best validation AUC {result.best_auc:.4f}"
    print(f"{result.epochs} epochs in {result.seconds:.0f} s{best}")
    print(f"model        {result.run.model}")
    print(f"history      {result.run.history}")
    print(f"TensorBoard  tensorboard --logdir {result.run.path.parent}")
    print(f"next         python evaluate.py {result.run.path} {config.dataset}")


def configured(argv: Sequence[str]) -> TrainConfig:
    """The config that a command line asks for; see `facenet_tf.cli.load`."""
    about, of_losses = "Train a face-embedding model.", TrainConfig.for_the_losses_of
    return cli.load(TrainConfig, "train", argv, about, of_losses)


def entry() -> NoReturn:
    """Console entry point."""
    cli.run(main)
