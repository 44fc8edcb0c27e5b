"""Which records make up a training batch: exactly P identities with K images each."""

from __future__ import annotations

import functools
from typing import TypedDict

import numpy as np

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.partners import GroupsWithPartners
from facenet_tf.input_pipeline.permutations import (
    GroupedPermutations,
    Groups,
    keyed_bits,
    keyed_permutation,
)
from facenet_tf.input_pipeline.sampling import UNIFORM, Sampling
from facenet_tf.input_pipeline.weighted import WeightedGroups

# What random numbers are for, part of their key.
_IDENTITIES, _IMAGES, _WEIGHTED, _OTHERS, _PARTNERS = range(5)


class SamplerReport(TypedDict):
    """What a sampler draws from, and what it leaves out or repeats."""

    identities: int
    """identities that take part"""
    images: int
    """their records"""
    copies: int
    """those of them that repeat a source image of the same identity"""
    singletons: int
    """identities with one source image"""
    singletons_left_out: int
    """those of them that take no part"""
    filled_up_identities: int
    """identities with fewer than K source images: their images repeat within a batch"""


class IdentitySampler:
    """P×K batches as a pure function of (seed, step, state); the state is `confused`.

    Identities are drawn in rounds: each once per round, in an order keyed by (seed, round), and
    none twice in a batch. So are the images of an identity, in an order keyed by (seed, identity,
    round): none recurs before the others were drawn, unless there are fewer than K.

    With weights, a round draws each identity in proportion to them, to less than one turn
    (`WeightedGroups`). With `sampling.hard`, this holds for the identities that are drawn, and the
    others of a batch are there for them (`GroupsWithPartners`).

    Records with the same source image are copies and count as one image, drawn in turns: two of
    them never meet in a batch, unless the identity has fewer than K source images. An identity
    with one source image gives no positive pair; it takes part only with `include_singletons`.

    Args:
        labels: integers [N], the identity of each record.
        sources: integers [N], equal for records made from the same source image.
        identities_per_batch: P ≥ 1.
        images_per_identity: K ≥ 1.
        seed: 0…2^63 - 1.
        include_singletons: draw identities with one source image too.
        sampling: how often each identity is drawn, and how many of a batch are partners.
        confused: the identities that each is confused with, then -1: integers [identities, n];
            identities are numbered by rising label. None: nothing is known yet.

    Attributes:
        report: what it draws from, and what it leaves out or repeats.
        takes_part: bool [N], whether a record's identity is ever drawn.

    Raises:
        InputError: an option is out of range, or there are fewer than P identities.
    """

    def __init__(
        self,
        labels: np.ndarray,
        sources: np.ndarray,
        identities_per_batch: int,
        images_per_identity: int,
        seed: int,
        include_singletons: bool = False,
        sampling: Sampling = UNIFORM,
        confused: np.ndarray | None = None,
    ) -> None:
        _check_at_least_one("identities-per-batch", identities_per_batch)
        _check_at_least_one("images-per-identity", images_per_identity)
        if not 0 <= seed < 2**63:
            raise InputError(f"seed {seed}: give a number from 0 to 2^63 - 1")
        self.images_per_identity = images_per_identity
        self.seed = seed

        # Two levels of slices into one array of record numbers: identity → image → copies.
        labels, sources = np.asarray(labels), np.asarray(sources)
        number = np.int32 if len(labels) < 2**31 else np.int64
        self._records = np.lexsort((sources, labels)).astype(number)
        new_label = _differs_from_the_one_before(labels[self._records])
        new_image = new_label | _differs_from_the_one_before(sources[self._records])
        self._copies_start = np.append(np.flatnonzero(new_image), len(labels)).astype(number)
        self._images_start = np.append(np.flatnonzero(new_label[new_image]), new_image.sum())

        images = np.diff(self._images_start)
        self._drawn = np.flatnonzero(images >= (1 if include_singletons else 2))
        self.report = self._describe(images)
        self.takes_part = np.isin(labels, labels[self._first_record()[self._drawn]])
        if identities_per_batch > len(self._drawn):
            raise InputError(_too_few(identities_per_batch, self.report))
        self._identities = self._groups(
            identities_per_batch, sampling, images[self._drawn], confused
        )

    def batch(self, step: int) -> np.ndarray:
        """Record numbers, integers [P·K], of a step ≥ 0, K in a row for each identity."""
        identities, visits = self._identities.group(step)
        turns = zip(self._drawn[identities].tolist(), visits.tolist(), strict=True)
        return np.concatenate([self._draw(identity, visit) for identity, visit in turns])

    def _draw(self, identity: int, visit: int) -> np.ndarray:
        """Record numbers, integers [K], of an identity at its `visit`-th turn."""
        first, end = self._images_start[identity : identity + 2]
        order = functools.partial(keyed_permutation, int(end - first), self.seed, _IMAGES, identity)
        stream = GroupedPermutations(int(end - first), self.images_per_identity, order)
        images, rounds = stream.group(visit)
        start, stop = self._copies_start[first + images], self._copies_start[first + images + 1]
        return self._records[start + rounds % (stop - start)]

    def _first_record(self) -> np.ndarray:
        """Of each identity."""
        return self._records[self._copies_start[self._images_start[:-1]]]

    def _groups(
        self,
        size: int,
        sampling: Sampling,
        images: np.ndarray,
        confused: np.ndarray | None,
    ) -> Groups:
        """The identities of each batch, as places in `_drawn`."""
        if not sampling.hard:
            return self._drawn_groups(size, sampling, images)
        drawn = max(1, size - max(1, round(sampling.hard * size)))
        return GroupsWithPartners(
            self._drawn_groups(drawn, sampling, images),
            self._rounds(size, _OTHERS),
            self._places(confused),
            size,
            lambda number: keyed_bits(size, self.seed, _PARTNERS, 0, number),
        )

    def _drawn_groups(self, size: int, sampling: Sampling, images: np.ndarray) -> Groups:
        if sampling.weights == "uniform":
            return self._rounds(size, _IDENTITIES)
        weights = np.sqrt(images) if sampling.weights == "sqrt" else images
        return WeightedGroups(weights, size, self.seed, _WEIGHTED)

    def _rounds(self, size: int, purpose: int) -> GroupedPermutations:
        order = functools.partial(keyed_permutation, len(self._drawn), self.seed, purpose, 0)
        # A step looks at two or three rounds, which for many identities are long ones.
        return GroupedPermutations(len(self._drawn), size, functools.lru_cache(maxsize=4)(order))

    def _places(self, confused: np.ndarray | None) -> np.ndarray:
        """Numbers of identities as places in `_drawn`, -1 for those who take no part."""
        if confused is None:
            return np.full([len(self._drawn), 1], -1)
        places = np.full(len(self._images_start), -1)  # the last one is that of -1
        places[self._drawn] = np.arange(len(self._drawn))
        return places[confused[self._drawn]]

    def _describe(self, images: np.ndarray) -> SamplerReport:
        records = np.diff(self._copies_start[self._images_start])[self._drawn].sum()
        drawn = images[self._drawn]
        return SamplerReport(
            identities=len(self._drawn),
            images=int(records),
            copies=int(records - drawn.sum()),
            singletons=int((images == 1).sum()),
            singletons_left_out=len(images) - len(self._drawn),
            filled_up_identities=int((drawn < self.images_per_identity).sum()),
        )


def _differs_from_the_one_before(values: np.ndarray) -> np.ndarray:
    return np.append(True, values[1:] != values[:-1])[: len(values)]


def _check_at_least_one(option: str, value: int) -> None:
    if value < 1:
        raise InputError(f"--{option} {value}: give at least 1")


def _too_few(identities_per_batch: int, report: SamplerReport) -> str:
    left_out, found = report["singletons_left_out"], report["identities"]
    if not found and left_out:
        return f"nobody has two pictures, {left_out} have one: --include-singletons lets them in"
    message = f"--identities-per-batch {identities_per_batch}: only {found} can be drawn"
    if left_out:
        message += f", {left_out} have a single picture; lower it or give --include-singletons"
        return message
    return message + "; lower it"
