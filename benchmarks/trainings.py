"""Trainings and measurements in processes of their own, that are done once and go on if stopped."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.training.config import TrainConfig


def train_once(config: TrainConfig) -> Path:
    """The run directory of a training that has finished, now or before.

    One that was interrupted goes on. SystemExit says which one does not finish.
    """
    run = config.run_directory
    if not finished(run):
        _in_own_process(_train, dataclasses.replace(config, resume=(run / "config.json").exists()))
    if not finished(run):
        raise SystemExit(f"{run}: the training did not finish")
    return run


def evaluate_once(config: EvaluateConfig) -> dict[str, Any]:
    """The figures of an evaluation, made now, or before with the same options.

    SystemExit says which one fails.
    """
    if _figures(config) is None:
        _in_own_process(_evaluate, config)
    figures = _figures(config)
    if figures is None:
        raise SystemExit(f"{config.output_directory}: the evaluation failed")
    return figures


def _figures(config: EvaluateConfig) -> dict[str, Any] | None:
    """What was measured with these very options; None where nothing was."""
    file = config.output_directory / "evaluation.json"
    figures = json.loads(file.read_text()) if file.exists() else {}
    return figures if figures.get("config") == config.resolved().recorded() else None


def finished(run: Path) -> bool:
    config = run / "config.json"
    return config.exists() and "finished" in json.loads(config.read_text())


def _in_own_process(work: Callable[[Any], None], config: Any) -> None:
    """So that nothing finds what another left."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=(config,))
    process.start()
    process.join()


def _train(config: TrainConfig) -> None:
    from facenet_tf.training.fit import train

    train(config)


def _evaluate(config: EvaluateConfig) -> None:
    from facenet_tf.evaluation.run import evaluate_run

    evaluate_run(config)
