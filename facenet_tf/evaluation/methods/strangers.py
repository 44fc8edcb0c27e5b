"""Strangers that fill a gallery: vectors made up after real ones, or those of another set.

MegaFace (Kemelmacher-Shlizerman et al., 2016) adds up to a million pictures of strangers to a
gallery, one for each. Where there is no such set, they are made up: a smoothed bootstrap
(Silverman, "Density Estimation", 1986, section 6.4.1) draws a real vector, moves it by noise with
the covariance of all of them, draws both towards their mean so that mean and covariance are those
of the real vectors, and scales the result to length 1. The share of the noise is Silverman's rule
of thumb: in a hundred dimensions it is most of it, so that nobody has a crowd of doubles.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.datasets.names import normalized
from facenet_tf.errors import InputError
from facenet_tf.evaluation.systems.vectors_file import read_embeddings

FEWEST_REAL = 20
"""Fewer real vectors than this say nothing about where others lie."""
_BLOCK = 10_000


class Strangers(Protocol):
    """Vectors of strangers, each its own person, in an order that does not change."""

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Vectors `start` to `stop`, float32 [stop − start, D]."""
        ...  # pragma: no cover

    def people_among(self, first: int) -> int | None:
        """How many real people so many of the first show; None where none is, or nobody knows."""
        ...  # pragma: no cover


class MadeUp:
    """Unit vectors with the mean and covariance that real ones have.

    Args:
        real: finite [M, D], M >= 2, unit vectors.
        seed: of the draws; vector number n depends on it and on `real` alone.
    """

    def __init__(self, real: NDArray[np.float32], seed: int) -> None:
        self._real = real.astype(np.float64)
        self._mean = self._real.mean(axis=0)
        count, size = self._real.shape
        self.noise = (4 / (count * (size + 2))) ** (1 / (size + 4))
        spectrum, directions = np.linalg.eigh(np.cov(self._real.T, ddof=0).reshape(size, size))
        self._root = directions * np.sqrt(spectrum.clip(min=0))
        self._seed = seed

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Vectors `start` to `stop`, float32 [stop − start, D] of length 1."""
        made = np.empty((stop - start, len(self._mean)), np.float32)
        for block in range(start // _BLOCK, -(-stop // _BLOCK)):
            first = block * _BLOCK
            low, high = max(start, first), min(stop, first + _BLOCK)
            made[low - start : high - start] = self._block(block)[low - first : high - first]
        return made

    def people_among(self, first: int) -> int | None:
        """None: nobody is real."""
        return None

    def _block(self, number: int) -> NDArray[np.float64]:
        random = np.random.default_rng([self._seed, number])
        chosen = self._real[random.integers(len(self._real), size=_BLOCK)]
        noise = random.standard_normal((_BLOCK, len(self._mean))) @ self._root.T
        moved = np.sqrt(1 - self.noise**2) * (chosen - self._mean) + self.noise * noise
        vectors = self._mean + moved
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class OfOthers:
    """The embeddings of another set by the same network, scaled to length 1, in a random order,
    the first picture of everybody before the second of anybody, as far as the file says whom it
    shows; whoever asks for more than there are gets vectors made up after them.

    Args:
        path: .npz or CSV, see `vectors_file`; it need not say whom it shows.
        size: D that the measured vectors have.
        names: people to leave out, if the file says whom it shows.
        seed: of the order, and of what is made up.

    Raises:
        InputError: the file is missing or damaged, or its vectors have another size.
    """

    def __init__(self, path: Path, size: int, names: Iterable[str], seed: int) -> None:
        vectors, identities = read_embeddings(path)
        if vectors.shape[1] != size:
            raise InputError(
                f"{path}: embeddings of {vectors.shape[1]} numbers beside vectors of {size}: give "
                "embeddings by the same network"
            )
        if identities is not None:
            known = set(map(normalized, names))
            others = np.array([normalized(str(name)) not in known for name in identities], bool)
            vectors, identities = vectors[others], identities[others]
        random = np.random.default_rng([seed, len(vectors)])
        order = random.permutation(len(vectors))
        if identities is not None:
            places = metrics.places_among_own(identities[order], random)
            order = order[np.argsort(places, kind="stable")]
        self._vectors, self._seed = vectors[order], seed
        self._whose = None if identities is None else identities[order]

    def __len__(self) -> int:
        """How many are real."""
        return len(self._vectors)

    def people_among(self, first: int) -> int | None:
        """How many people so many of the first show, those that are made up left out; None where
        the file does not say whom it shows."""
        return None if self._whose is None else len(np.unique(self._whose[:first]))

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Vectors `start` to `stop`, float32 [stop − start, D] of length 1."""
        if stop <= len(self):
            return self._vectors[start:stop]
        beyond = self._made_up.rows(max(0, start - len(self)), stop - len(self))
        return np.concatenate([self._vectors[start:], beyond])

    @cached_property
    def _made_up(self) -> MadeUp:
        return MadeUp(self._vectors, self._seed)
