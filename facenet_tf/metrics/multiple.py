"""Several tests at once: p-values that keep their meaning."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """p-values adjusted by Holm's step-down rule ("A simple sequentially rejective multiple test
    procedure", 1979): to compare with the level that all tests together are to keep.

    Args:
        p_values: float [N] in [0, 1].

    Returns:
        float64 [N] in [0, 1], in the order given.

    Raises:
        ValueError: not one-dimensional, or a value is outside [0, 1] or NaN.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values must be numbers [N] in [0, 1]")
    order = np.argsort(values, kind="stable")
    scaled = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(scaled))
    return adjusted
