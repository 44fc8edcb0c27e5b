"""Confidence intervals of any figure over people, drawn anew with replacement."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def people_intervals(
    people: int,
    statistic: Callable[[NDArray[np.float64]], list[float]],
    *,
    replicates: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """95 % percentile intervals of statistics, with people as what is drawn.

    Pictures of one person are not independent, so each replicate draws as many people as there are,
    with replacement, and takes all pictures of each as often as it was drawn (after Bolle et al.,
    "The subsets bootstrap", 2004).

    Args:
        people: how many there are.
        statistic: S numbers, of how often each person was drawn, float64 [people]. A draw for which
            it raises ValueError is dropped.
        replicates: number of draws, >= 1.
        seed: of the draws.

    Returns:
        float64 [S, 2]: low and high of each statistic.

    Raises:
        ValueError: fewer than two people, or than half of the draws could be used.
    """
    random = np.random.default_rng([seed, people])
    samples = []
    for _ in range(replicates if people > 1 else 0):
        drawn = random.integers(people, size=people)
        try:
            samples.append(statistic(np.bincount(drawn, minlength=people).astype(np.float64)))
        except ValueError:
            continue
    if len(samples) < max(1, replicates / 2):
        raise ValueError(f"too few people ({people}) for a bootstrap over people")
    return np.quantile(np.asarray(samples), [0.025, 0.975], axis=0).T
