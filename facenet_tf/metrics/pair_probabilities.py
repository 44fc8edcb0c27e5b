"""Whether probabilities of "the same person" mean what they say: of lists of pairs, of all pairs.

Reliability, ECE and Brier score need of the pairs only sums over each kind and each bin of
probability. Sums add up: over pieces of all pairs, so that millions pass by without a list of them,
and over draws of people, where each pair counts as often as it was drawn. Genuine and impostor
pairs weigh one half each, as where both are equally likely beforehand.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.calibration import Logistic, Reliability
from facenet_tf.metrics.checks import checked_pairs
from facenet_tf.metrics.distances import TILE
from facenet_tf.metrics.pair_weights import PairWeights
from facenet_tf.metrics.resampling import people_intervals, reflected


@dataclasses.dataclass(frozen=True)
class PairHonesty:
    """How honest the probabilities of pairs are.

    Attributes:
        reliability: the diagram; its `error` is the ECE.
        brier: mean squared error, in [0, 1].
    """

    reliability: Reliability
    brier: float


def pair_honesty(
    curve: Logistic, genuine: ArrayLike, distance: ArrayLike, *, bins: int = 10
) -> PairHonesty:
    """Of a list of pairs, whose probability is a logistic function of the distance.

    Args:
        curve: from distance to probability.
        genuine: bool [N], of both kinds.
        distance: float [N].
        bins: of probability, of equal width.

    Raises:
        ValueError: bad input (see `checked_pairs`), or pairs of one kind.
    """
    return _honesty(_Claims.of(curve, *checked_pairs(genuine, distance), bins).sums())


def honesty_intervals(
    curve: Logistic,
    genuine: ArrayLike,
    distance: ArrayLike,
    identities: tuple[ArrayLike, ArrayLike],
    *,
    bins: int = 10,
    draws: int = 200,
    seed: int = 0,
) -> NDArray[np.float64]:
    """95 % intervals of ECE and Brier score, with people drawn anew (`resampling`), not pairs.

    Args:
        curve, genuine, distance, bins: as of `pair_honesty`.
        identities: the persons left and right of each pair, two [N] arrays of one type.
        draws: of people. A draw without one kind of pair is dropped.
        seed: of the draws.

    Returns:
        float64 [2, 2]: low and high of the ECE (`reflected`), then of the Brier score.

    Raises:
        ValueError: bad input.
        TooFewPeople: fewer than half of the draws could be used.
    """
    claims = _Claims.of(curve, *checked_pairs(genuine, distance), bins)
    claims, sides = claims.by_people(*identities)
    weights = PairWeights(*sides)

    def drawn(times: NDArray[np.float64]) -> list[float]:
        honesty = _honesty(claims.sums(weights.of_pairs(times)))
        return [honesty.reliability.error, honesty.brier]

    limits = people_intervals(weights.people, drawn, draws=draws, seed=seed)
    limits[0] = reflected(limits[0].tolist(), _honesty(claims.sums()).reliability.error)
    return limits


def all_pairs_honesty(
    curve: Logistic, embeddings: ArrayLike, labels: ArrayLike, *, bins: int = 10
) -> PairHonesty:
    """Of all pairs of a labelled set, in bounded memory however many they are.

    Args:
        curve: from squared distance to probability.
        embeddings: float [N, D]; pairs with a row of NaN are left out.
        labels: [N], whom each picture shows.
        bins: as of `pair_honesty`.

    Raises:
        ValueError: the shapes do not fit, or there are not both genuine and impostor pairs.
    """
    rows, names = np.asarray(embeddings), np.asarray(labels)
    if rows.ndim != 2 or names.shape != rows.shape[:1]:
        raise ValueError(f"expected [N, D] and N labels, got {rows.shape} and {names.shape}")
    kept = ~np.isnan(rows).any(axis=1)
    values, person = rows[kept].astype(np.float64), np.unique(names[kept], return_inverse=True)[1]
    squares = np.einsum("nd,nd->n", values, values)
    sums = np.zeros((2, bins, 3))
    for top in range(0, len(values), TILE):
        for left in range(top, len(values), TILE):
            upper, side = slice(top, top + TILE), slice(left, left + TILE)
            products = values[upper] @ values[side].T
            distance = np.maximum(0, squares[upper, None] + squares[side] - 2 * products)
            genuine = person[upper, None] == person[side]
            wanted = np.triu(np.ones(genuine.shape, bool), 1) if top == left else slice(None)
            claims = _Claims.of(curve, genuine[wanted].ravel(), distance[wanted].ravel(), bins)
            sums += claims.sums()
    return _honesty(sums)


@dataclasses.dataclass(frozen=True)
class _Claims:
    """What pairs claim.

    Attributes:
        place: int64 [N], kind and bin: those of impostor pairs come first.
        terms: float64 [3, N], number (1 for a pair), probability and squared error.
        bins: how many there are of each kind.
    """

    place: NDArray[np.int64]
    terms: NDArray[np.float64]
    bins: int

    @classmethod
    def of(
        cls, curve: Logistic, genuine: NDArray[np.bool_], distance: NDArray[np.float64], bins: int
    ) -> _Claims:
        claimed = curve.probability(distance)
        place = np.minimum((claimed * bins).astype(np.int64), bins - 1) + bins * genuine
        return cls(
            place, np.stack([np.ones(len(claimed)), claimed, (claimed - genuine) ** 2]), bins
        )

    def by_people(
        self, left: ArrayLike, right: ArrayLike
    ) -> tuple[_Claims, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """The pairs of the same two people in one place added up, and which two these are: a draw
        of people then costs as much as there are such sums."""
        names, codes = np.unique(np.concatenate([left, right]), return_inverse=True)
        first, second = codes.reshape(2, -1)
        places = 2 * self.bins
        cells, row = np.unique(
            (first * len(names) + second) * places + self.place, return_inverse=True
        )
        terms = _summed(row, self.terms, len(cells))
        two, place = np.divmod(cells, places)
        return _Claims(place, terms, self.bins), np.divmod(two, len(names))

    def sums(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """The terms summed up, float64 [2, bins, 3]; column n counts weights[n] times."""
        terms = self.terms if weights is None else self.terms * weights
        return _summed(self.place, terms, 2 * self.bins).T.reshape(2, self.bins, 3)


def _summed(
    place: NDArray[np.int64], terms: NDArray[np.float64], places: int
) -> NDArray[np.float64]:
    """Each row of terms summed up over the columns of a place: [rows, places]."""
    return np.array([np.bincount(place, term, places) for term in terms], np.float64)


def _honesty(sums: NDArray[np.float64]) -> PairHonesty:
    counts = sums[:, :, 0].sum(axis=1)
    if not counts.all():
        raise ValueError("both genuine and impostor pairs are needed")
    parts = sums / (2 * counts)[:, None, None]
    share, claimed, _ = parts.sum(axis=0).T
    with np.errstate(invalid="ignore"):  # 0/0 where a bin is empty
        diagram = Reliability(share, claimed / share, parts[1, :, 0] / share)
    return PairHonesty(diagram, float(parts[:, :, 2].sum()))
