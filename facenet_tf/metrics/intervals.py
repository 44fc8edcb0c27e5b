"""Confidence intervals: of a share, and over the people behind the pairs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.people_draws import PeopleDraws
from facenet_tf.metrics.roc import RocCurve, SortedPairs

_NORMAL_QUANTILE_975 = 1.959963984540054


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share of independent trials (Wilson, JASA 1927): (low, high) in [0, 1].

    It keeps its coverage near 0 and 1, where accuracies live.

    Raises:
        ValueError: no trials, or successes outside 0…trials.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    z2 = _NORMAL_QUANTILE_975**2
    share = successes / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = np.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    half = _NORMAL_QUANTILE_975 * spread / (1 + z2 / trials)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def bootstrap_identities(
    genuine: ArrayLike,
    distance: ArrayLike,
    identities: tuple[ArrayLike, ArrayLike],
    statistic: Callable[[RocCurve], list[float]],
    *,
    replicates: int = 200,
    seed: int = 0,
) -> NDArray[np.float64]:
    """95 % percentile intervals of statistics of pairs, with people drawn anew, not pairs.

    How the draws are made: `people_draws`.

    Args:
        genuine: bool [N].
        distance: float [N].
        identities: the persons on the left and right of each pair, two [N] arrays.
        statistic: S numbers of the curve of a draw. A draw without one kind of pair is dropped.
        replicates: number of draws.
        seed: of the draws.

    Returns:
        float64 [S, 2]: low and high of each statistic.

    Raises:
        ValueError: bad input, or fewer than half of the draws could be used.
    """
    pairs = SortedPairs(genuine, distance)
    left, right = (np.asarray(side)[pairs.order] for side in identities)
    draws = PeopleDraws(left, right, seed)
    samples = []
    for _ in range(replicates):
        try:
            samples.append(statistic(pairs.curve(draws.weights())))
        except ValueError:
            continue
    check_draws(len(samples), replicates, draws.people)
    return np.quantile(np.asarray(samples), [0.025, 0.975], axis=0).T


def check_draws(used: int, asked: int, people: int) -> None:
    """Raises ValueError where fewer than half of the draws could be used."""
    if used < max(1, asked / 2):
        raise ValueError(f"too few people ({people}) for a bootstrap over identities")
