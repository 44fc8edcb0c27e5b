"""Invariants of P×K batches, over many shapes of data sets."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.sampler import IdentitySampler


def data(images: list[int], copies: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and sources [N] in random order; identity i has images[i] sources, each `copies`×."""
    labels = np.repeat(np.arange(len(images)), images)
    labels, sources = np.repeat(labels, copies), np.repeat(np.arange(len(labels)), copies)
    order = np.random.default_rng(seed).permutation(len(labels))
    return labels[order], sources[order]


def batches(sampler: IdentitySampler, count: int) -> np.ndarray:
    return np.stack([sampler.batch(step) for step in range(count)])


SHAPES = [
    (images, p, k, seed)
    for images, p in [
        ([5] * 4, 4),
        ([4, 7, 2, 9, 3], 3),
        ([6, 5, 8, 11, 4, 7], 5),
        ([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 5),
        ([20] * 40, 16),
    ]
    for k in (1, 2, 3, 4)
    for seed in (0, 1, 2**40)
]


@pytest.mark.parametrize(("images", "p", "k", "seed"), SHAPES)
def test_batches_are_p_identities_times_k_images(images, p, k, seed) -> None:
    labels, sources = data(images)
    sampler = IdentitySampler(labels, sources, p, k, seed)
    for batch in batches(sampler, 60):
        assert batch.shape == (p * k,)
        counts = Counter(labels[batch].tolist())
        assert len(counts) == p
        assert set(counts.values()) == {k}
        for identity in counts:
            own = batch[labels[batch] == identity]
            assert len(set(own.tolist())) == min(k, images[identity])


@pytest.mark.parametrize(("images", "p", "k", "seed"), SHAPES)
def test_rounds_of_identities_and_of_their_images(images, p, k, seed) -> None:
    labels, sources = data(images)
    drawn = batches(IdentitySampler(labels, sources, p, k, seed), 80)
    identities = labels[drawn][:, ::k].ravel()
    whole = len(identities) // len(images) * len(images)
    for round_ in identities[:whole].reshape(-1, len(images)):
        assert sorted(round_) == list(range(len(images)))
    records = drawn.ravel()
    for identity, count in enumerate(images):
        own = records[labels[records] == identity]
        if count >= k:
            own = own[: len(own) // count * count].reshape(-1, count)
            assert all(len(set(round_)) == count for round_ in own.tolist())


def test_orders_change_from_round_to_round_and_between_identities() -> None:
    labels, sources = data([12] * 10)
    drawn = batches(IdentitySampler(labels, sources, 10, 12, 0), 3)
    rounds = labels[drawn][:, ::12]
    assert len({tuple(order) for order in rounds.tolist()}) == 3
    order_of_sources = [
        tuple(np.argsort(sources[batch[labels[batch] == identity]]))
        for batch, identity in itertools.product(drawn, range(10))
    ]
    assert len(set(order_of_sources)) == 30


@pytest.mark.parametrize(("count", "p"), [(7, 5), (8, 8), (23, 6)])
def test_a_step_is_a_pure_function_of_seed_and_step(count: int, p: int) -> None:
    labels, sources = data([3, 4, 5, 9, 30, 2, 6] * (count // 7) + [5] * (count % 7))
    walked = IdentitySampler(labels, sources, p, 4, 11)
    for step in range(1000):
        walked.batch(step)
    fresh = IdentitySampler(labels, sources, p, 4, 11)
    assert fresh.batch(1000).tolist() == walked.batch(1000).tolist()
    assert fresh.batch(3).tolist() == walked.batch(3).tolist()
    other_seed = IdentitySampler(labels, sources, p, 4, 12)
    assert fresh.batch(1000).tolist() != other_seed.batch(1000).tolist()


def test_identities_meet_each_other_equally_often() -> None:
    count, p, steps = 9, 4, 4500
    labels, sources = data([2] * count)
    sampler = IdentitySampler(labels, sources, p, 1, 3)
    present = np.zeros((steps, count))
    for step, batch in enumerate(batches(sampler, steps)):
        present[step, labels[batch]] = 1
    appearances = present.sum(axis=0)
    assert appearances.max() - appearances.min() <= 1
    together = (present.T @ present)[np.triu_indices(count, 1)]
    np.testing.assert_allclose(together, steps * p * (p - 1) / count / (count - 1), rtol=0.12)


def test_fewer_than_k_images_are_filled_up_and_reported() -> None:
    labels, sources = data([2, 3, 4, 5])
    sampler = IdentitySampler(labels, sources, 4, 4, 0)
    assert sampler.report["filled_up_identities"] == 2
    for batch in batches(sampler, 10):
        own = Counter(batch[labels[batch] == 0].tolist())
        assert list(own.values()) == [2, 2]
        own = Counter(batch[labels[batch] == 1].tolist())
        assert sorted(own.values()) == [1, 1, 2]


def test_singletons_take_part_on_demand() -> None:
    labels, sources = data([1, 3, 1, 4, 2])
    without = IdentitySampler(labels, sources, 3, 2, 0)
    assert set(labels[batches(without, 20)].ravel()) == {1, 3, 4}
    assert without.report == {
        "identities": 3,
        "images": 9,
        "copies": 0,
        "singletons": 2,
        "singletons_left_out": 2,
        "filled_up_identities": 0,
    }
    everyone = IdentitySampler(labels, sources, 5, 2, 0, include_singletons=True)
    assert set(labels[everyone.batch(0)]) == {0, 1, 2, 3, 4}
    assert everyone.report["singletons"] == 2
    assert everyone.report["singletons_left_out"] == 0
    assert everyone.report["filled_up_identities"] == 2


def test_copies_of_one_source_make_a_singleton() -> None:
    labels, sources = np.array([0, 0, 0, 1, 1]), np.array([7, 7, 7, 8, 9])
    sampler = IdentitySampler(labels, sources, 1, 2, 0)
    assert sampler.report["singletons_left_out"] == 1
    assert set(labels[batches(sampler, 5)].ravel()) == {1}


def test_copies_do_not_meet_where_there_are_enough_sources() -> None:
    labels, sources = data([4, 5, 9], copies=3)
    sampler = IdentitySampler(labels, sources, 3, 4, 0)
    assert sampler.report["copies"] == 2 * 18
    drawn = batches(sampler, 50)
    for batch in drawn:
        for identity in range(3):
            assert len(set(sources[batch[labels[batch] == identity]])) == 4
    assert set(drawn.ravel()) == set(range(len(labels)))  # every copy has its turn


def test_copies_fill_up_before_a_record_repeats() -> None:
    labels, sources = data([2, 3], copies=2)
    sampler = IdentitySampler(labels, sources, 2, 4, 0)
    drawn = batches(sampler, 40)
    assert all(len(set(batch.tolist())) == 8 for batch in drawn)
    assert set(drawn.ravel()) == set(range(len(labels)))


def test_labels_and_sources_are_only_compared() -> None:
    labels, sources = data([3, 4, 5, 6])
    plain = IdentitySampler(labels, sources, 2, 3, 5)
    spread = IdentitySampler(labels * 1000 + 2**33, sources * 7 - 5, 2, 3, 5)
    assert batches(plain, 10).tolist() == batches(spread, 10).tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"identities_per_batch": 4}, "identities_per_batch 4: only 3 identities.*left out: 1"),
        (
            {"identities_per_batch": 5, "include_singletons": True},
            "identities_per_batch 5: only 4 identities can be drawn;",
        ),
        ({"identities_per_batch": 0}, "identities_per_batch 0"),
        ({"images_per_identity": 0}, "images_per_identity 0"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**63}, "seed"),
    ],
)
def test_bad_options_are_named(options, message: str) -> None:
    labels, sources = data([2, 2, 2, 1])
    good = {"identities_per_batch": 2, "images_per_identity": 2, "seed": 0}
    with pytest.raises(InputError, match=message):
        IdentitySampler(labels, sources, **good | options)


def test_no_records_at_all() -> None:
    with pytest.raises(InputError, match="only 0 identities"):
        IdentitySampler(np.array([], np.int64), np.array([], np.int64), 2, 2, 0)


@pytest.mark.parametrize("include_singletons", [False, True])
def test_who_takes_part_is_who_is_drawn(include_singletons) -> None:
    labels, sources = data([3, 1, 4, 1, 2], copies=2)
    sampler = IdentitySampler(labels, sources, 2, 2, 0, include_singletons)
    drawn = np.unique(labels[batches(sampler, 50)])
    assert np.unique(labels[sampler.takes_part]).tolist() == drawn.tolist()
    assert sampler.takes_part.sum() == sampler.report["images"]
