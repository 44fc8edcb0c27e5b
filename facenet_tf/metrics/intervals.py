"""Confidence intervals: of a share, and over the people behind the pairs."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.pair_weights import PairWeights
from facenet_tf.metrics.resampling import people_intervals
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
    statistic: Callable[[RocCurve], ArrayLike],
    *,
    draws: int = 200,
    seed: int = 0,
    about: Sequence[int | None] | None = None,
) -> NDArray[np.float64]:
    """95 % intervals of statistics of pairs, with people drawn anew, not pairs.

    How people are drawn: `resampling`; how pairs count then: `pair_weights`.

    Args:
        genuine: bool [N].
        distance: float [N].
        identities: the persons on the left and right of each pair, two [N] arrays.
        statistic: S numbers of the curve of a draw. A draw without one kind of pair is dropped.
        draws: how many.
        seed: of the draws.
        about: of each statistic that is a share, how many people one of its cases is about
            (`PairWeights.cases`); None for one that is no share, and where none is.

    Returns:
        float64 [S, 2]: low and high of each statistic.

    Raises:
        ValueError: bad input.
        TooFewPeople: fewer than half of the draws could be used.
    """
    pairs = SortedPairs(genuine, distance)
    weights = PairWeights(*identities)
    return people_intervals(
        weights.people,
        lambda times: statistic(pairs.curve(weights.of_pairs(times)[pairs.order])),
        draws=draws,
        seed=seed,
        cases=None if about is None else [each and weights.cases(each) for each in about],
    )
