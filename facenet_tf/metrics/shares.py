"""Shares of pictures with intervals over people: pictures of one person are not independent."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def share_interval(
    right: ArrayLike, people: ArrayLike, *, draws: int = 200, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of a share, the people being drawn anew with all their pictures.

    Args:
        right: bool [N].
        people: [N], whom each picture shows.
        draws: 1 or more.
        seed: of the draws.

    Raises:
        ValueError: see `drawn_shares`; or there is one person, who can only be drawn again.
    """
    shares = drawn_shares(right, people, draws=draws, seed=seed)
    if len(np.unique(people)) < 2:
        raise ValueError("an interval over people needs two of them")
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


def drawn_shares(
    right: ArrayLike, people: ArrayLike, *, draws: int, seed: int
) -> NDArray[np.float64]:
    """The share in each of `draws` draws of as many people as there are, float64 [draws].

    Equal `people` and `seed` give equal draws, so that shares of two systems can be subtracted.

    Raises:
        ValueError: the lengths do not fit, or there is nothing.
    """
    flags, names = np.asarray(right, dtype=np.float64), np.asarray(people)
    if flags.ndim != 1 or flags.shape != names.shape or not len(flags):
        raise ValueError(f"right and people must be [N], N >= 1: {flags.shape}, {names.shape}")
    codes = np.unique(names, return_inverse=True)[1]
    pictures = np.bincount(codes)
    correct = np.bincount(codes, weights=flags)
    random = np.random.default_rng([seed, len(pictures)])
    chosen = (random.integers(len(pictures), size=len(pictures)) for _ in range(draws))
    return np.array([correct[who].sum() / pictures[who].sum() for who in chosen])
