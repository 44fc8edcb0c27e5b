"""How often each pair counts when people were drawn anew."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


class PairWeights:
    """A pair of two people counts the product of how often these were drawn, a genuine pair as
    often as its person (after Bolle et al., "The subsets bootstrap", 2004).

    Args:
        left, right: the persons of each pair, two [N] arrays of one type.

    Attributes:
        people: how many there are.
        cell: int64 [N], which two people each pair is of.
        cells: how many such twos there are: one look-up each does for all their pairs.

    Raises:
        ValueError: the arrays differ in shape or are not vectors.
    """

    def __init__(self, left: ArrayLike, right: ArrayLike) -> None:
        sides = np.asarray(left), np.asarray(right)
        if sides[0].ndim != 1 or sides[0].shape != sides[1].shape:
            raise ValueError(
                f"the persons left and right must be vectors of one length, got "
                f"{sides[0].shape} and {sides[1].shape}"
            )
        names, codes = np.unique(np.concatenate(sides), return_inverse=True)
        self.people = len(names)
        first, second = codes.reshape(2, -1)
        found, self.cell = np.unique(first * self.people + second, return_inverse=True)
        self.cells = len(found)
        self._first, self._second = np.divmod(found, self.people)
        self._alone = self._first == self._second

    def of_cells(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """How often a pair of each cell counts, [cells], where people were drawn `times` [people],
        in the order that `numpy.unique` gives them."""
        first, second = times[self._first], times[self._second]
        return np.where(self._alone, first, first * second)

    def of_pairs(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """How often each pair counts, [N]."""
        return self.of_cells(times)[self.cell]

    def cases(self, people: int) -> int:
        """How many independent cases a share over these pairs is a mean of (`percentiles`).

        Args:
            people: that a case is about: 1 for genuine pairs, one case for each person who has
                some; 2 where impostor pairs take part, since of n people only n / 2 pairs have
                nobody in common (Hoeffding, "Probability inequalities for sums of bounded random
                variables", 1963, section 5b); 3 where genuine pairs are held against impostor ones.
        """
        if people == 1:
            return int(self._alone.sum())
        return self.people // people
