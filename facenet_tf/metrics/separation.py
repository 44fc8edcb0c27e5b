"""How far the distances of genuine and of impostor pairs lie apart, as two distributions."""

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from facenet_tf.metrics.checks import check_both_kinds, checked_pairs
from facenet_tf.metrics.roc import RocCurve


@dataclasses.dataclass(frozen=True)
class Separation:
    """Mean and standard deviation (of the population) of the two kinds of distances."""

    genuine_mean: float
    genuine_deviation: float
    impostor_mean: float
    impostor_deviation: float

    @property
    def d_prime(self) -> float:
        """Difference of the means over the root of the mean variance (Daugman, "Biometric decision
        landscapes", 2000).

        Negative where genuine pairs are farther apart than impostor pairs, infinite where neither
        kind varies, 0 where all distances are one. That of squared distances of unit vectors is
        that of their cosines.
        """
        gap = self.impostor_mean - self.genuine_mean
        spread = math.sqrt((self.genuine_deviation**2 + self.impostor_deviation**2) / 2)
        if spread == 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / spread


def separation(genuine: ArrayLike, distance: ArrayLike) -> Separation:
    """Both distributions of a list of pairs.

    Args:
        genuine: bool [N].
        distance: float [N], finite; smaller is more alike.

    Raises:
        ValueError: bad input (see `checked_pairs`), one kind of pair only, or a distance is
            infinite: there is no mean then.
    """
    flags, distances = checked_pairs(genuine, distance)
    check_both_kinds(flags)
    if not np.isfinite(distances).all():
        raise ValueError("infinite distances have no mean")
    own, others = distances[flags], distances[~flags]
    return Separation(
        float(own.mean()), float(own.std()), float(others.mean()), float(others.std())
    )


def curve_separation(curve: RocCurve) -> Separation:
    """The same from a curve, whose steps are the pairs, as often as each counts.

    Pairs at an infinite distance are left out: they have a picture without a vector.

    Raises:
        ValueError: no genuine or no impostor pair has a finite distance.
    """
    first, last = np.searchsorted(curve.thresholds, [-np.inf, np.inf], side="right")
    last -= int(curve.thresholds[last - 1] == np.inf)
    distance = curve.thresholds[first:last]
    moments = []
    for share in (curve.tar, curve.far):
        steps = np.diff(share[first - 1 : last])
        total = steps.sum()
        if not total > 0:
            raise ValueError("one kind of pair has no finite distance")
        mean = float(steps @ distance / total)
        moments += [mean, math.sqrt(steps @ (distance - mean) ** 2 / total)]
    return Separation(*moments)
