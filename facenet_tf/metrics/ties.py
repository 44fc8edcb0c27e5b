"""What a tie is worth where the nearest decides: nothing.

Somebody else who is as near as the own person counts as nearer, in every figure of rank 1 and
beyond, so that a network that maps all faces to one point names nobody rightly. Distances that
differ by no more than rounding does are as near.
"""

import numpy as np
from numpy.typing import NDArray

TIE = 1e-9
"""What rounding may do to a squared distance of unit vectors in float64, with room."""


def as_near(distance: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether others at `distance` are at least as near as the own person, squared distances."""
    return distance <= own + TIE
