"""Shares of pictures with intervals over people: pictures of one person are not independent."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.resampling import people_intervals


class PeopleShares:
    """Shares of the same pictures, people being drawn with all their pictures.

    Args:
        rights: S vectors, bool [N]: of which pictures each share is.
        people: [N], whom each picture shows.

    Attributes:
        people: how many there are.

    Raises:
        ValueError: the lengths do not fit, or there is nothing.
    """

    def __init__(self, rights: list[ArrayLike], people: ArrayLike) -> None:
        flags, names = np.asarray(rights, np.float64), np.asarray(people)
        if flags.ndim != 2 or flags.shape[1:] != names.shape or not len(names):
            raise ValueError(f"rights must be [S, N], people [N], N >= 1: {flags.shape}")
        codes = np.unique(names, return_inverse=True)[1]
        self._pictures = np.bincount(codes).astype(np.float64)
        self._right = np.array([np.bincount(codes, weights=row) for row in flags])
        self.people = len(self._pictures)

    def of(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """The shares [S] where people were drawn `times` [people]."""
        return self._right @ times / (self._pictures @ times)


def share_interval(
    right: ArrayLike, people: ArrayLike, *, draws: int = 200, seed: int = 0
) -> NDArray[np.float64]:
    """95 % interval over people of a share of pictures, [1, 2] (see `resampling`).

    Args:
        right: bool [N]; or float [N], of whose mean the interval is then.
        people: [N], whom each picture shows.
        draws: 1 or more.
        seed: of the draws.

    Raises:
        ValueError: see `PeopleShares`.
        TooFewPeople: there is one person, who can only be drawn again.
    """
    shares = PeopleShares([right], people)
    return people_intervals(shares.people, shares.of, draws=draws, seed=seed, cases=[shares.people])
