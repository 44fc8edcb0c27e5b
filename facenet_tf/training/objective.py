"""What a stage learns from: a loss, or a weighted sum of losses, with their options settled."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from facenet_tf.errors import InputError
from facenet_tf.losses.registry import Loss, find_loss
from facenet_tf.training.config import Stage
from facenet_tf.training.loss_terms import TERM

# Options that have a field of their own, being those of many losses.
_FIELDS = ("margin", "scale", "distance")
# By default these two take the lengths of their embeddings for scale. A trainer's have length 1,
# on which their loss could hardly fall.
_ON_UNIT_VECTORS: Mapping[str, Mapping[str, float]] = {
    "sphereface": {"scale": 30.0},
    "n_pairs": {"scale": 16.0},
}


@dataclasses.dataclass(frozen=True)
class Term:
    """One loss of the sum.

    Attributes:
        weight: multiplies its mean.
        loss: the function and what it takes.
        options: all of its options.
    """

    weight: float
    loss: Loss
    options: Mapping[str, Any]

    @property
    def describe(self) -> dict[str, Any]:
        """For a run's record."""
        return {"weight": self.weight, "loss": self.loss.title, "options": dict(self.options)}


def objective(stage: Stage, prefix: str) -> tuple[Term, ...]:
    """The losses of a stage; `prefix` leads to the stage's options.

    Raises:
        InputError: a loss or mining rule that there is not, or an option that does not fit it.
    """
    parts = [_parsed(text, stage, prefix) for text in stage.loss.split("+")]
    mined = [loss for _, loss, inline in parts if loss.mining and not inline]
    if stage.mining and not mined:
        said = "names its rule itself" if any(inline for _, _, inline in parts) else "mines nothing"
        raise InputError(
            f"--{prefix}mining {stage.mining}: {stage.loss} {said}; give no mining rule"
        )
    given = _options_of_terms(stage, prefix, [loss for _, loss, _ in parts])
    terms = tuple(
        Term(weight, loss, {**loss.options, **_ON_UNIT_VECTORS.get(loss.name, {}), **given[number]})
        for number, (weight, loss, _) in enumerate(parts)
    )
    _check_batches(stage, prefix, terms)
    return terms


def _parsed(text: str, stage: Stage, prefix: str) -> tuple[float, Loss, bool]:
    """Weight, loss, and whether the text itself names the mining rule."""
    match = TERM.fullmatch(text.strip())
    if not match:
        raise InputError(
            f"--{prefix}loss {stage.loss!r}: give a loss, or a sum such as 'cosface + 0.01*centre'"
        )
    name, inline = match["name"], match["mining"]
    try:
        loss = _found(name, inline, stage.mining)
    except ValueError as error:
        raise InputError(f"--{prefix}loss {stage.loss}: {error}") from error
    weight = float(match["weight"] or 1)
    if weight == 0:
        raise InputError(f"--{prefix}loss {stage.loss!r}: {name} has weight 0, leave it out")
    return weight, loss, inline is not None


def _found(name: str, inline: str | None, mining: str | None) -> Loss:
    if inline or mining is None:
        return find_loss(name, inline)
    try:
        return find_loss(name, mining)
    except ValueError as error:
        # The rule may be meant for another loss of the sum, if this one has no rules.
        with contextlib.suppress(ValueError):
            return find_loss(name)
        raise error


def _options_of_terms(stage: Stage, prefix: str, losses: list[Loss]) -> list[dict[str, Any]]:
    """What is asked for differently than by default, for each loss of the sum."""
    given: list[dict[str, Any]] = [{} for _ in losses]
    fields = {name: getattr(stage, name) for name in _FIELDS if getattr(stage, name) is not None}
    for key, value in {**fields, **stage.options}.items():
        name, _, option = key.rpartition(".")
        takers = [
            number
            for number, loss in enumerate(losses)
            if option in loss.options and name in ("", loss.name, loss.title)
        ]
        shown = f"--{prefix}{key} {value}" if key in fields else f"--{prefix}options {key} {value}"
        if not takers:
            known = ", ".join(sorted({option for loss in losses for option in loss.options}))
            raise InputError(
                f"{shown}: no option of {stage.loss}, which has {known or 'none'}; leave it out"
                + (f" (--{prefix}{key} None)" if key in fields else "")
            )
        if len(takers) > 1:
            names = " or ".join(f"{losses[number].title}.{option}" for number in takers)
            raise InputError(
                f"{shown}: say whose with --{prefix}options {names}"
                + (f" (and --{prefix}{key} None)" if key in fields else "")
            )
        given[takers[0]][option] = _like(losses[takers[0]], option, value, shown)
    return given


def _like(loss: Loss, option: str, value: Any, shown: str) -> Any:
    """The value in the type of the option: the command line knows numbers and words alone."""
    default, words = loss.options[option], _words(loss.types[option])
    if value in words:
        return value
    if isinstance(default, int):
        if not isinstance(value, int | float) or value != int(value):
            raise InputError(f"{shown}: give a whole number")
        return int(value)
    if isinstance(value, str):
        numbers = [] if get_origin(loss.types[option]) is Literal else ["a number"]
        raise InputError(f"{shown}: give {' or '.join([*numbers, *words])}")
    return value


def _words(annotation: Any) -> tuple[str, ...]:
    """The words that an annotation allows, alone or beside a number."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(word for part in get_args(annotation) for word in _words(part))


def _check_batches(stage: Stage, prefix: str, terms: tuple[Term, ...]) -> None:
    comparing = [term.loss for term in terms if not term.loss.tensors & {"prototypes", "state"}]
    if comparing and stage.images_per_identity < 2:
        raise InputError(
            f"--{prefix}images-per-identity {stage.images_per_identity}: {comparing[0].title} "
            "needs at least 2, or no anchor has a positive"
        )
    if stage.memory and not any("memory" in term.loss.tensors for term in terms):
        raise InputError(f"--{prefix}memory {stage.memory}: {stage.loss} looks into no memory")
    plain = [term.loss for term in terms if "prototypes" not in term.loss.tensors]
    if stage.mixup and plain:
        raise InputError(
            f"--{prefix}mixup {stage.mixup}: {plain[0].title} knows no picture of two people, only "
            "softmax losses do; leave it out, or learn from them alone"
        )
    classifying = [term for term in terms if "prototypes" in term.loss.tensors]
    if stage.sampled_classes and not classifying:
        raise InputError(
            f"--{prefix}sampled-classes {stage.sampled_classes}: {stage.loss} has no prototypes"
        )
    if stage.sub_centres and not any(term.loss.sub_centres for term in terms):
        raise InputError(
            f"--{prefix}sub-centres {stage.sub_centres}: {stage.loss} has one prototype a person"
        )
    batch = stage.identities_per_batch * stage.images_per_identity
    if 0 < stage.sampled_classes < batch:
        raise InputError(
            f"--{prefix}sampled-classes {stage.sampled_classes}: give as many as a batch has "
            f"crops, {batch}, or more"
        )
