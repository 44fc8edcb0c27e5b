"""Training runs that are killed: with which options, when, and what they end with."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from facenet_tf import models  # noqa: F401 (its layers are in the saved models)
from facenet_tf.training.checkpoints import Checkpoints

_SHORT = (
    "--deterministic --width 4 --embedding-size 16 --steps-per-epoch 12 --dropout 0.1 "
    "--warm-up.epochs 2 --warm-up.identities-per-batch 4 --warm-up.images-per-identity 2 "
    "--main.identities-per-batch 4 --main.images-per-identity 2 --checkpoint.steps 4 "
)
OPTIONS = {
    "memory": shlex.split(_SHORT + "--main.epochs 2 --main.memory 16"),
    "average": shlex.split(
        _SHORT + "--precision mixed_float16 --descent.ema 0.9 --layer-rates 'stage*' 0.5 "
        "--warm-up.mixup 0.2 --warm-up.sampling.hard 0.5 --main.sampling.hard 0.5 "
        "--main.epochs 3 --main.schedule plateau --main.drop.patience 1"
    ),
    "pieces": shlex.split(_SHORT + "--main.epochs 1 --steps-per-execution 2 --chunk 4"),
}
"""Two stages with all that keeps a state. All: dropout, epochs that are begun midway. Beyond the
memory of one, another has averages of the weights and a scale of the loss, and an epoch depends
on the one before by whom it confused and whether its validation was better. The third takes two
steps at once, each in chunks."""
_SPEED = ("images_per_second", "seconds")  # columns of history.csv
KINDS = ("at any time", "after a checkpoint", "while one is written")
ROOT = Path(__file__).resolve().parents[1]

Wait = Callable[[subprocess.Popen[bytes]], object]


class Moments:
    """When to kill: functions that wait for it, or until the process ends.

    Args:
        seconds: what an undisturbed run takes.
        pause: how long after a checkpoint at most, in seconds.
        seed: of what is drawn.
    """

    def __init__(self, seconds: float, pause: float, seed: int) -> None:
        self._seconds, self._pause = seconds, pause
        self._chance = random.Random(seed)

    def next(self, run: Path) -> tuple[str, Wait]:
        """One of `KINDS`, and what waits for the moment."""
        kind, chance = self._chance.choice(KINDS), self._chance
        if kind == KINDS[0]:
            moment = chance.uniform(0, self._seconds)
            return kind, lambda process: ended(process, moment)
        writing = kind == KINDS[2]
        changes = chance.randint(1, 6)
        pause = chance.uniform(0, 0.05 if writing else self._pause)

        def wait(process: subprocess.Popen[bytes]) -> None:
            left, seen = changes, _seen(run, writing)
            while left and process.poll() is None:
                now = _seen(run, writing)
                if now != seen:
                    seen = now
                    left -= bool(now)
                time.sleep(0.001)
            ended(process, pause)

        return kind, wait


class Place:
    """Where runs are made, each in a directory of its own, all with the same options.

    Args:
        scratch: holds these directories.
        dataset: what they are trained on.
        options: of `train.py`, besides those.
        run: `disturbed.run`.
    """

    def __init__(
        self, scratch: Path, dataset: Path, options: Sequence[str], run: Callable[..., Any]
    ) -> None:
        self._scratch, self._dataset, self._run = scratch, dataset.resolve(), run
        self._options = options

    def path(self, name: str) -> Path:
        return self._scratch / name

    def train(self, name: str, wait: Wait | None = None) -> Any:
        """Begin a run, or take it up; it is killed when `wait` returns."""
        resume = ["--resume"] if (self.path(name) / "config.json").exists() else []
        words = [sys.executable, ROOT / "train.py", self._dataset, "--output", self.path(name)]
        return self._run([*words, *self._options, *resume], ROOT, wait)


def killed_runs(
    place: Place, kills: int, seconds: float, expected: dict[str, str], seed: int
) -> list[dict[str, Any]]:
    """Runs that are killed until there were enough kills; the last one then goes on to its end.

    After two of the kills a byte of the newest checkpoint is changed.
    """
    moments, chance = Moments(seconds, 0.5, seed), random.Random(seed)
    to_damage = {kills // 3, 2 * kills // 3}
    runs: list[dict[str, Any]] = []
    while kills > 0:
        name, starts = f"killed{len(runs)}", list[dict[str, Any]]()
        while not starts or starts[-1]["killed"]:
            kind, wait = moments.next(place.path(name)) if kills > 0 else ("not at all", None)
            before = _seen(place.path(name), writing=True)
            ran = place.train(name, wait)
            assert ran.killed or ran.code == 0, ran.told
            kills -= ran.killed
            start = _told_of(kind, ran, place.path(name), before)
            if ran.killed and kills in to_damage and len(_written(place.path(name))) > 1:
                to_damage.remove(kills)
                start["damaged"] = damage(place.path(name), chance)
            starts.append(start)
            print(f"{name}: {start}", file=sys.stderr, flush=True)
        runs.append({"starts": starts, "differs": differing(place.path(name), expected)})
    return runs


def stopped_run(place: Place, seconds: float, expected: dict[str, str]) -> dict[str, Any]:
    """A run that is ended by SIGTERM after its first checkpoint, and then taken up."""

    def wait(process: subprocess.Popen[bytes]) -> None:
        while len(_written(place.path("stopped"))) < 2 and not ended(process, 0.01):
            pass
        process.send_signal(signal.SIGTERM)
        ended(process, seconds)

    stopped = place.train("stopped", wait)
    taken_up = place.train("stopped")
    assert taken_up.code == 0, taken_up.told
    return {
        "code": stopped.code,
        "told": stopped.told.splitlines()[-1],
        "differs": differing(place.path("stopped"), expected),
    }


def differing(run: Path, expected: dict[str, str]) -> list[str]:
    """Names of what a run has ended with that is not as expected."""
    found = outcome(run)
    names = sorted(found.keys() | expected.keys())
    return [name for name in names if found.get(name) != expected.get(name)]


def _told_of(kind: str, ran: Any, run: Path, before: list[Any]) -> dict[str, Any]:
    left = [part for part in _seen(run, writing=True) if part not in before]
    return {
        "kind": kind,
        "killed": ran.killed,
        "seconds": round(ran.seconds, 1),
        "newest": max((int(path.name) for path in _written(run)), default=None),
        "unfinished": len(left),
        "damaged": None,
        "told": [line for line in ran.told.splitlines() if " WARNING " in line],
    }


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait so long for the end of a process, and say whether it has come."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


def damage(run: Path, chance: random.Random) -> str:
    """Change a byte of the newest checkpoint; returns what of it."""
    newest = max(_written(run), key=lambda path: int(path.name))
    file = chance.choice(sorted(newest.iterdir()))
    data = bytearray(file.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    with file.open("r+b") as opened:  # in place, as a disk does it: no other checkpoint shares it
        opened.write(data)
    return f"{newest.name}/{file.name}"


def outcome(run: Path) -> dict[str, str]:
    """SHA-256 of all that a run ends with, but for its speed, by name."""
    kept = Checkpoints(run / "checkpoints", 2).newest()
    assert kept is not None, run
    variables = tf.train.load_checkpoint(str(kept.directory / "variables"))
    names = sorted(variables.get_variable_to_shape_map())
    found = {
        name: _sha256(np.asarray(variables.get_tensor(name)))
        for name in names
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }
    states = kept.directory / "states.npz"
    if states.exists():
        with np.load(states) as arrays:
            found |= {name: _sha256(array) for name, array in arrays.items()}
    with (run / "history.csv").open(newline="") as file:
        lines = [_without_speed(line) for line in csv.DictReader(file)]
    state = dict(kept.facts["run"])
    del state["seconds"]
    assert [_without_speed(line) for line in state.pop("history")] == lines, run
    table = run / "identity_errors.csv"
    told = table.read_bytes().decode() if table.exists() else ""
    assert told == state["identity_errors"], run
    best = keras.saving.load_model(run / "model.keras").get_weights()
    found["history"] = hashlib.sha256(json.dumps(lines).encode()).hexdigest()
    found["state"] = hashlib.sha256(json.dumps(state).encode()).hexdigest()
    found["model.keras"] = hashlib.sha256("".join(map(_sha256, best)).encode()).hexdigest()
    return found


def _without_speed(line: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in line.items() if name not in _SPEED}


def _sha256(array: np.ndarray) -> str:
    about = f"{array.dtype} {array.shape} ".encode()
    return hashlib.sha256(about + np.ascontiguousarray(array).tobytes()).hexdigest()


def _written(run: Path) -> list[Path]:
    return [*(run / "checkpoints").glob("[0-9]*")]


def _seen(run: Path, writing: bool) -> Any:
    """What changes with each checkpoint: the one that is being written, or those that are."""
    if not writing:
        return sorted(path.name for path in _written(run))
    parts = (run / "checkpoints").glob(".*.part")
    with contextlib.suppress(FileNotFoundError):
        return [(part.name, part.stat().st_ctime_ns) for part in parts]
    return []
