"""The bootstrap over people: how they are drawn, and the intervals that the draws give.

Pictures of one person are not independent, and neither are pairs that share one. So people are
drawn, as many as there are, with replacement, and each counts as often as he was drawn (Bolle,
Ratha and Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap", 2004;
how pairs count then: `pair_weights`). Every interval over people comes from here:

* Draws of few people vary too little, by √((n − 1) / n), and know no heavy tails. The percentiles
  are therefore taken farther out, at Φ(±√(n / (n − 1)) · t) with the quantile t of Student's
  distribution with n − 1 degrees (Hesterberg, "What teachers should know about the bootstrap",
  2015, section 4.3): 0.9 % and 99.1 % of 10 people, 2.5 % and 97.5 % of very many. There are as
  many draws as it takes to expect one beyond each limit, up to 1,000. Fewer than five people have
  no such draws: their limits are the least and the greatest that they can give.
* A share that all people have in common is 0 (or 1) in every draw, however few they are. Its
  interval is then [0, 1 − 0.025^(1/n)] (or its mirror image): whatever the people are like, a
  larger share would have shown itself among n independent cases in 97.5 % of all samples. That is
  the exact (Clopper-Pearson) interval of no success in n trials, near 3.7 / n.
* A mean of absolute differences (ECE) only grows by noise, and a draw adds noise to that of the
  sample: draws lie above the estimate, as it lies above the truth. Their interval is reflected at
  the estimate (the basic bootstrap: Davison and Hinkley, "Bootstrap methods", 1997, section 5.2).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

_TAIL = 0.025
ROUNDING = 1e-12
"""An AUC is a sum: that of no error at all may miss 1 by so much."""
FEWEST_SURE = 5
"""Intervals over fewer people reach from the least to the greatest that one person gives, and are
too narrow: `sureness_of_few`."""
_MOST_DRAWS = 1000

Limits = list[float]
"""Low and high."""


class TooFewPeople(ValueError):
    """There are none to draw, or most draws of them give no figure."""

    def __init__(self, people: int) -> None:
        super().__init__(f"too few people ({people}) for a bootstrap over people")


def people_samples(
    people: int,
    statistic: Callable[[NDArray[np.float64]], ArrayLike],
    *,
    draws: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """What statistics come to in draws of people.

    Args:
        people: how many there are.
        statistic: S numbers, of how often each person was drawn, float64 [people]; NaN where this
            draw does not define one of them. A draw for which it raises ValueError is dropped.
        draws: how many.
        seed: of the draws; equal seeds and numbers of people give equal draws.

    Returns:
        float64 [draws that could be used, S].

    Raises:
        TooFewPeople: fewer than two, or fewer than half of the draws could be used.
    """
    random = np.random.default_rng([seed, people])
    samples = []
    for _ in range(draws if people > 1 else 0):
        drawn = random.integers(people, size=people)
        try:
            samples.append(statistic(np.bincount(drawn, minlength=people).astype(np.float64)))
        except ValueError:
            continue
    if len(samples) < max(1, draws / 2):
        raise TooFewPeople(people)
    return np.asarray(samples, np.float64)


def people_intervals(
    people: int,
    statistic: Callable[[NDArray[np.float64]], ArrayLike],
    *,
    draws: int,
    seed: int = 0,
    cases: Sequence[int | None] | None = None,
) -> NDArray[np.float64]:
    """95 % intervals of statistics, with people as what is drawn.

    Args, errors: as of `people_samples`, but draws: how many at least; few people get as many as
        their percentiles take. cases: as of `percentiles`.

    Returns:
        float64 [S, 2]: low and high of each statistic.
    """
    draws = max(draws, _draws_of_limits(people))
    samples = people_samples(people, statistic, draws=draws, seed=seed)
    return percentiles(samples, people, cases)


def percentiles(
    samples: NDArray[np.float64], people: int, cases: Sequence[int | None] | None = None
) -> NDArray[np.float64]:
    """95 % intervals from draws.

    Args:
        samples: float64 [D, S], of `people_samples`.
        people: how many there are.
        cases: of each statistic that is a share, how many independent cases it is a mean of at
            least; None for one that is no share, and where none is.

    Returns:
        float64 [S, 2]. Between infinite numbers nothing is interpolated; the limits are draws
        then. NaN where fewer than half of the draws define a statistic.
    """
    levels = [_tail_level(people), 1 - _tail_level(people)]
    counts = [None] * samples.shape[1] if cases is None else cases
    columns = zip(samples.T, counts, strict=True)
    return np.array([_limits(column, levels, count) for column, count in columns]).reshape(-1, 2)


def _limits(
    drawn: NDArray[np.float64], levels: list[float], cases: int | None
) -> tuple[float, float]:
    defined = drawn[~np.isnan(drawn)]
    if 2 * len(defined) < len(drawn):
        return math.nan, math.nan
    if np.isfinite(defined).all():
        low, high = np.quantile(defined, levels)
    else:
        low = np.quantile(defined, levels[0], method="lower")
        high = np.quantile(defined, levels[1], method="higher")
    for end in (0, 1):
        if cases is not None and abs(low - end) < ROUNDING and abs(high - end) < ROUNDING:
            return limits_at_the_end(end, cases)
    return float(low), float(high)


def _tail_level(people: int, tail: float = _TAIL) -> float:
    """Which share of the draws lies beyond a limit with this share of Student's tail beyond it."""
    return float(ndtr(math.sqrt(people / (people - 1)) * stdtrit(people - 1, tail)))


def _draws_of_limits(people: int) -> int:
    """How many draws it takes to expect one beyond each limit; few people would take too many, and
    fewer than five have none there."""
    if people < FEWEST_SURE:
        return 0
    return min(_MOST_DRAWS, math.ceil(1 / _tail_level(people)))


def limits_at_the_end(share: float, cases: int) -> tuple[float, float]:
    """95 % interval of a share that is 0 or 1 in all of so many independent cases (at least 1)."""
    beyond = 1 - _TAIL ** (1 / max(1, cases))
    return (0.0, beyond) if share == 0 else (1 - beyond, 1.0)


def sureness_of_few(people: int) -> float | None:
    """How often an interval over so few people (two or more) holds a mean that half of all people
    are above: unless these all are, or none is. None for `FEWEST_SURE` and more: near 95 %."""
    return None if people >= FEWEST_SURE else 1 - 2 * 0.5**people


def reflected(limits: Sequence[float], estimate: float) -> Limits:
    """95 % interval of a mean of absolute differences, of which percentiles would lie too high.

    Args:
        limits: low and high, the percentiles of the draws.
        estimate: what all people together come to, >= 0.

    Returns:
        The limits reflected at the estimate, not below 0; the estimate itself is always within.
    """
    low, high = map(float, limits)
    return [max(0.0, min(estimate, 2 * estimate - high)), max(estimate, 2 * estimate - low)]


def p_value(differences: NDArray[np.float64], people: int) -> float:
    """Two-sided p-value of no difference, from differences [D] in draws of people.

    It is at most 0.05 where the interval of `percentiles` leaves 0 out, but for the draw that is
    counted on top, so that it is never 0: from D draws no p below 2 / (D + 1) can come.
    """
    opposite = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    share = (1 + opposite) / (1 + len(differences))
    if share >= 0.5:
        return 1.0
    return float(2 * stdtr(people - 1, ndtri(share) * math.sqrt((people - 1) / people)))


def fewest_draws(p: float, people: int) -> int | None:
    """How many draws of so many people (at least 2) a p-value of at most `p` takes (`p_value`);
    None where that is more than a million."""
    share = _tail_level(people, p / 2)
    return math.ceil(1 / share) - 1 if share > 1e-6 else None


def intervals_or_none(
    count: int, bootstrap: Callable[..., NDArray[np.float64]], *given: Any, draws: int, **more: Any
) -> list[Limits | None]:
    """The intervals of `count` statistics; None for each where no draws are asked for, or where
    there are too few people for them, and for one that most draws do not define or that is
    infinite.

    Args:
        count: of statistics.
        bootstrap: gives float64 [count, 2], or raises TooFewPeople.
        given, draws, more: what it is called with; draws 0: it is not.
    """
    if not draws or not count:
        return [None] * count
    try:
        found = bootstrap(*given, draws=draws, **more)
    except TooFewPeople:
        return [None] * count
    return [row.tolist() if np.isfinite(row).all() else None for row in found]
