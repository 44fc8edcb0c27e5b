"""Invariants of P×K batches, over many shapes of data sets."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline import permutations, weighted
from facenet_tf.input_pipeline import sampler as sampler_module
from facenet_tf.input_pipeline.sampler import IdentitySampler
from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.input_pipeline.weighted import capped_shares


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
        ({"identities_per_batch": 4}, "--identities-per-batch 4: only 3 .*1 have a single"),
        (
            {"identities_per_batch": 5, "include_singletons": True},
            "--identities-per-batch 5: only 4 can be drawn;",
        ),
        ({"identities_per_batch": 0}, "--identities-per-batch 0"),
        ({"images_per_identity": 0}, "--images-per-identity 0"),
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
    with pytest.raises(InputError, match="only 0 can be drawn"):
        IdentitySampler(np.array([], np.int64), np.array([], np.int64), 2, 2, 0)


@pytest.mark.parametrize("include_singletons", [False, True])
def test_who_takes_part_is_who_is_drawn(include_singletons) -> None:
    labels, sources = data([3, 1, 4, 1, 2], copies=2)
    sampler = IdentitySampler(labels, sources, 2, 2, 0, include_singletons)
    drawn = np.unique(labels[batches(sampler, 50)])
    assert np.unique(labels[sampler.takes_part]).tolist() == drawn.tolist()
    assert sampler.takes_part.sum() == sampler.report["images"]


WEIGHTED = [Sampling("sqrt"), Sampling("images"), Sampling("images", hard=0.5), Sampling(hard=0.3)]
UNEVEN = [2, 3, 5, 8, 13, 21, 34, 55, 4, 4, 9, 16]


@pytest.mark.parametrize("sampling", WEIGHTED)
@pytest.mark.parametrize(("p", "k"), [(4, 2), (6, 4), (12, 3)])
def test_weighted_and_hard_batches_are_p_identities_times_k_images(sampling, p, k) -> None:
    labels, sources = data(UNEVEN, copies=2)
    confused = np.stack([(np.arange(12) + 1) % 12, np.full(12, -1)], axis=1)
    sampler = IdentitySampler(labels, sources, p, k, 9, False, sampling, confused)
    for batch in batches(sampler, 150):
        counts = Counter(labels[batch].tolist())
        assert len(counts) == p and set(counts.values()) == {k}
        for identity in counts:
            own = batch[labels[batch] == identity]
            assert len(set(own.tolist())) == min(k, 2 * UNEVEN[identity])
            assert len(set(sources[own].tolist())) == min(k, UNEVEN[identity])


@pytest.mark.parametrize(("weights", "power"), [("uniform", 0.0), ("sqrt", 0.5), ("images", 1.0)])
@pytest.mark.parametrize("hard", [0.0, 0.5])
def test_identities_are_drawn_by_their_weights(weights, power, hard) -> None:
    """Chi-square of those drawn, whatever partners come beside them."""
    p, steps = 4, 3000
    labels, sources = data(UNEVEN)
    confused = (np.arange(12) ^ 1)[:, None]
    sampling = Sampling(weights, hard)
    sampler = IdentitySampler(labels, sources, p, 1, 2, False, sampling, confused)
    drawn = p - int(hard * p)
    found = np.bincount(labels[batches(sampler, steps)][:, :drawn].ravel(), minlength=12)
    wanted = steps * capped_shares(np.array(UNEVEN, float) ** power, drawn)
    assert ((found - wanted) ** 2 / wanted).sum() < stats.chi2.ppf(0.999, 11)


def test_images_of_an_identity_are_all_drawn_under_weights() -> None:
    labels, sources = data(UNEVEN)
    sampler = IdentitySampler(labels, sources, 4, 2, 0, sampling=Sampling("images"))
    counts = np.bincount(batches(sampler, 6000).ravel(), minlength=len(labels))
    for identity, images in enumerate(UNEVEN):
        own = counts[labels == identity]
        expected = own.sum() / images
        statistic = ((own - expected) ** 2 / expected).sum()
        assert statistic < stats.chi2.ppf(0.9999, images - 1)


def test_confused_identities_come_into_one_batch_as_the_state_says() -> None:
    labels, sources = data([5] * 20)
    sampling = Sampling(hard=0.5)
    alone = IdentitySampler(labels * 3, sources, 6, 2, 4, False, sampling)
    paired = IdentitySampler(labels * 3, sources, 6, 2, 4, False, sampling, PAIRS)
    meetings = {
        name: sum(
            len(set(labels[batch] // 2 * 2)) <= 4  # three pairs, or more
            for batch in batches(sampler, 100)
        )
        for name, sampler in (("alone", alone), ("paired", paired))
    }
    assert meetings["paired"] > 90 and meetings["alone"] < 40
    again = IdentitySampler(labels * 3, sources, 6, 2, 4, False, sampling, PAIRS)
    assert again.batch(10**6).tolist() == paired.batch(10**6).tolist()
    assert again.batch(10**6).tolist() != alone.batch(10**6).tolist()


PAIRS = (np.arange(20) ^ 1)[:, None]


def test_a_small_share_of_partners_is_one_at_least() -> None:
    labels, sources = data([4] * 20)
    met = [
        set(labels[IdentitySampler(labels, sources, 4, 2, 0, False, each, PAIRS).batch(step)])
        for each in (Sampling(hard=0.05), Sampling())
        for step in range(200)
    ]
    paired = [sum(person ^ 1 in people for person in people) for people in met]
    assert sum(paired[:200]) > 3 * sum(paired[200:])


def test_who_takes_no_part_is_no_partner() -> None:
    labels, sources = data([1, 3, 1, 4, 2, 5])
    everybody = np.array([[2, 0], [0, 2], [1, 3], [2, 0], [0, 2], [2, -1]])
    sampler = IdentitySampler(labels, sources, 3, 2, 0, False, Sampling(hard=0.6), everybody)
    assert set(labels[batches(sampler, 100)].ravel()) == {1, 3, 4, 5}


@pytest.mark.parametrize("sampling", [Sampling(), *WEIGHTED])
def test_a_million_steps_ahead_costs_what_a_step_costs(sampling, monkeypatch) -> None:
    """Random access without walking: a bounded number of random numbers for any step."""
    labels, sources = data([4] * 3000)
    fresh = IdentitySampler(labels, sources, 16, 4, 0, sampling=sampling)
    drawn = 0
    keyed_bits = permutations.keyed_bits

    def counted(count: int, *key: int) -> np.ndarray:
        nonlocal drawn
        drawn += count
        return keyed_bits(count, *key)

    for module in (permutations, weighted, sampler_module):
        monkeypatch.setattr(module, "keyed_bits", counted)
    fresh.batch(10**6)
    assert drawn < 8 * 3000


@pytest.mark.parametrize("sampling", [Sampling(), *WEIGHTED])
def test_memory_does_not_grow_with_the_images(sampling) -> None:
    """A few bytes per image are held, none are allocated for a batch."""

    def held_and_taken(each: int) -> tuple[int, int]:
        labels = np.repeat(np.arange(300, dtype=np.int32), each)
        sources = np.arange(300 * each, dtype=np.int32)
        tracemalloc.start()
        sampler = IdentitySampler(labels, sources, 8, 2, 0, sampling=sampling)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for step in range(20):
            sampler.batch(step)
        taken = tracemalloc.get_traced_memory()[1] - held
        tracemalloc.stop()
        return held, taken

    few, many = held_and_taken(10), held_and_taken(1000)
    assert many[0] - few[0] < 12 * 300 * 990
    assert many[1] < few[1] + 200_000  # the order of one identity's images
