"""What every figure over pairs demands of its input."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_pairs(
    genuine: ArrayLike, distance: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """The two columns of a list of pairs, both [N] with N >= 1.

    Raises:
        ValueError: shapes differ, the list is empty, `genuine` is not boolean-like, or a distance
            is NaN. Infinite distances are allowed.
    """
    flags = np.asarray(genuine)
    distances = np.asarray(distance, dtype=np.float64)
    if flags.ndim != 1 or flags.shape != distances.shape:
        raise ValueError(
            f"genuine and distance must be vectors of one length, got {flags.shape} and "
            f"{distances.shape}"
        )
    if flags.size == 0:
        raise ValueError("a list of pairs must not be empty")
    if flags.dtype != np.bool_ and not np.isin(flags, (0, 1)).all():
        raise ValueError("genuine must hold booleans (or 0 and 1)")
    if np.isnan(distances).any():
        raise ValueError(f"{int(np.isnan(distances).sum())} distances are NaN")
    return flags.astype(bool), distances


def check_both_kinds(genuine: NDArray[np.bool_]) -> None:
    """Raises ValueError unless there is a genuine pair and an impostor pair."""
    if genuine.all() or not genuine.any():
        kind = "impostor" if genuine.all() else "genuine"
        raise ValueError(f"the list has no {kind} pair: error rates are not defined")
