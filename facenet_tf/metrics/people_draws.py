"""People drawn anew: how often each pair counts in a draw of the bootstrap over identities."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


class PeopleDraws:
    """Draws of as many people as there are, with replacement.

    Pairs that share a person are not independent, so an interval over pairs is too narrow. A pair
    of two people counts the product of their multiplicities, a genuine pair the multiplicity of its
    person (after Bolle et al., "The subsets bootstrap", 2004).

    Args:
        left, right: the persons of each pair, two [N] arrays of one type.
        seed: of the draws.

    Attributes:
        people: how many there are.

    Raises:
        ValueError: the arrays differ in shape or are not vectors.
    """

    def __init__(self, left: ArrayLike, right: ArrayLike, seed: int) -> None:
        sides = np.asarray(left), np.asarray(right)
        if sides[0].ndim != 1 or sides[0].shape != sides[1].shape:
            raise ValueError(
                f"the persons left and right must be vectors of one length, got "
                f"{sides[0].shape} and {sides[1].shape}"
            )
        names, codes = np.unique(np.concatenate(sides), return_inverse=True)
        self.people = len(names)
        first, second = codes.reshape(2, -1)
        # One look-up per pair and draw: pairs are many more than pairs of people.
        cells, self._cell = np.unique(first * self.people + second, return_inverse=True)
        self._first, self._second = np.divmod(cells, self.people)
        self._random = np.random.default_rng([seed, len(first)])

    def weights(self) -> NDArray[np.float64]:
        """How often each pair counts in the next draw: whole numbers, [N]."""
        drawn = self._random.integers(self.people, size=self.people)
        times = np.bincount(drawn, minlength=self.people).astype(np.float64)
        first, second = times[self._first], times[self._second]
        return np.where(self._first == self._second, first, first * second)[self._cell]
