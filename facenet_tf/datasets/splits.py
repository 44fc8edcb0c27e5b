"""Who is trained on, who steers the training, who is only measured: splits by identity."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from facenet_tf.errors import InputError

Order = Literal["by_name", "shuffled"]
TRAIN, VALIDATION, TEST, UNUSED = "train", "validation", "test", "unused"


def split_identities(
    pictures: Mapping[str, int],
    *,
    test: int | float,
    validation: int | float,
    validation_min_pictures: int = 1,
    order: Order = "by_name",
    seed: int = 0,
) -> dict[str, str]:
    """Return identity → split: the last identities are test, the last of the others validation.

    Args:
        pictures: identity → how many pictures it has.
        test: how many identities are test: a count, or below 1 a fraction of all, which gives at
            least two where there are four or more.
        validation: how many are validation: a count, or below 1 a fraction of the other
            identities that have enough pictures; a fraction gives none or at least two.
        validation_min_pictures: fewer pictures than this make no validation identity.
        order: the identities are ordered by name (numbers in names by value) or shuffled.
        seed: of the shuffle.

    Raises:
        InputError: fewer than two identities would be left to train on.
    """
    names = _ordered(pictures, order, seed)
    test_names = _last(names, test, "--test-people", keep=2)
    if 0 < test < 1 and len(test_names) < 2 and len(names) >= 4:
        test_names = names[-2:]
    split = dict.fromkeys(test_names, TEST)
    rest = [name for name in names if name not in split]
    return {
        **split,
        **split_training(
            {name: pictures[name] for name in rest},
            validation=validation,
            validation_min_pictures=validation_min_pictures,
            order=order,
            seed=seed,
        ),
    }


def split_training(
    pictures: Mapping[str, int],
    *,
    validation: int | float,
    validation_min_pictures: int = 1,
    order: Order = "by_name",
    seed: int = 0,
) -> dict[str, str]:
    """Return identity → ``"train"`` or ``"validation"``; arguments as in `split_identities`."""
    names = _ordered(pictures, order, seed)
    eligible = [name for name in names if pictures[name] >= validation_min_pictures]
    keep = max(0, 2 - (len(names) - len(eligible)))
    chosen = set(_last(eligible, validation, "--validation-people", keep))
    if validation < 1 and len(chosen) == 1:  # one person alone makes no impostor pair
        chosen = set(eligible[-2:]) if len(eligible) - 2 >= keep else set()
    return {name: VALIDATION if name in chosen else TRAIN for name in names}


def natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a sort key by which ``s2`` comes before ``s10``."""
    parts = re.findall(r"\d+|\D+", name)
    return [(not p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts]


def _ordered(pictures: Mapping[str, int], order: Order, seed: int) -> list[str]:
    names = sorted(pictures, key=natural)
    if order == "shuffled":
        np.random.default_rng([seed]).shuffle(names)
    return names


def _last(names: Sequence[str], share: int | float, option: str, keep: int) -> Sequence[str]:
    """The last of the names; `keep` at least must be left."""
    if not math.isfinite(share) or share < 0 or (share >= 1 and share != int(share)):
        raise InputError(f"{option} {share}: give a count, or a fraction below 1")
    room = max(0, len(names) - keep)
    fraction = min(math.floor(share * len(names) + 1e-9), room)
    count = fraction if share < 1 else int(share)
    if count > room:
        raise InputError(
            f"{option} {share}: of {len(names)} people at least {keep} must be left to train on"
        )
    return names[len(names) - count :]
