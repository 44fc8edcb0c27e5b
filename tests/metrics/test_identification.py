"""Ranks, CMC, DIR and average precision against loops over pictures, and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, top_k_accuracy_score

from facenet_tf.metrics import (
    OpenSet,
    average_precisions,
    cumulative_matches,
    identification,
    operating_point,
    search_gallery,
)

from . import twins


def people_of(seed, *, people=7, per_person=2, probes=60, size=4, spread=0.6, lost=0):
    """A gallery of people 0…, and probes, some of which show people who are not in it."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(people + 3, size))
    enrolled = random.permutation(np.repeat(np.arange(people), per_person))
    shown = random.integers(0, people + 3, probes)
    rows = np.concatenate([centres[enrolled], centres[shown]])
    rows = rows + spread * random.normal(size=rows.shape)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    gallery, vectors = rows[: len(enrolled)], rows[len(enrolled) :]
    vectors[:lost] = np.nan
    return gallery, enrolled, vectors, shown


def columns(found):
    return np.c_[found.own, found.foreign, found.ahead]


class TestSearch:
    @pytest.mark.parametrize("seed", range(6))
    def test_distances_and_places_are_those_of_loops(self, seed):
        given = people_of(seed, per_person=1 + seed % 3, lost=2)
        np.testing.assert_allclose(
            columns(search_gallery(*given)), twins.searched(*given), atol=1e-9
        )

    def test_blocks_do_not_show(self, monkeypatch):
        given = people_of(1)
        whole = columns(search_gallery(*given))
        monkeypatch.setattr(identification, "_CELLS_AT_ONCE", 40)
        np.testing.assert_allclose(columns(search_gallery(*given)), whole, atol=1e-12)

    def test_names_may_be_strings_and_rows_in_any_order(self):
        gallery, enrolled, probes, people = people_of(2)
        names = np.array([f"n{number:02}" for number in range(12)])
        found = search_gallery(gallery[::-1], names[enrolled][::-1], probes, names[people])
        np.testing.assert_array_equal(
            columns(found), columns(search_gallery(gallery, enrolled, probes, people))
        )

    def test_a_network_with_one_answer_finds_nobody(self):
        """All vectors are one: every person ties with all others, and comes last."""
        vector = np.full((1, 6), 6**-0.5, np.float32)
        people = np.arange(9)
        same = np.repeat(vector, 9, axis=0)
        found = search_gallery(same, people, same, people)
        assert found.rank.tolist() == [9] * 9
        assert cumulative_matches(found, 9).tolist() == [0.0] * 8 + [1.0]

    def test_an_unknown_person_has_everybody_ahead(self):
        found = search_gallery(np.eye(3), [0, 1, 2], np.eye(3)[:1], [7])
        assert (found.own[0], found.foreign[0], found.ahead[0]) == (np.inf, 0, 3)

    def test_a_probe_without_a_vector_finds_nobody(self):
        found = search_gallery(np.eye(2), [0, 1], np.full((2, 2), np.nan), [0, 7])
        assert found.own.tolist() == [np.inf, np.inf]
        assert found.foreign.tolist() == [np.inf, np.inf]
        assert found.rank.tolist() == [3, 3]
        assert cumulative_matches(found, 5).tolist() == [0] * 5

    def test_in_a_gallery_of_one_a_lost_probe_is_still_an_error(self):
        found = search_gallery(np.eye(1), [0], np.array([[1.0], [np.nan]]), [0, 0])
        assert cumulative_matches(found, 1).tolist() == [0.5]

    def test_no_probes(self):
        found = search_gallery(np.eye(2), [0, 1], np.zeros((0, 2)), [])
        assert len(found.own) == 0
        with pytest.raises(ValueError, match="needs a probe"):
            cumulative_matches(found, 1)

    @pytest.mark.parametrize(
        ("gallery", "enrolled", "probes", "people"),
        [
            (np.zeros((0, 2)), [], np.eye(2), [0, 1]),
            (np.eye(2), [0, 1], np.eye(3), [0, 1, 2]),
            (np.eye(2), [0], np.eye(2), [0, 1]),
            (np.eye(2), [0, 1], np.eye(2), [0]),
            (np.full((1, 2), np.nan), [0], np.eye(2), [0, 1]),
        ],
    )
    def test_bad_input_is_refused(self, gallery, enrolled, probes, people):
        with pytest.raises(ValueError, match="gallery"):
            search_gallery(gallery, enrolled, probes, people)


class TestCmc:
    @pytest.mark.parametrize("seed", range(4))
    def test_it_is_scikit_learns_top_k(self, seed):
        gallery, enrolled, probes, people = people_of(seed, per_person=1)
        known = people < 7
        found = search_gallery(gallery, enrolled, probes[known], people[known])
        scores = (probes[known] @ gallery.T)[:, np.argsort(enrolled)]
        for rank, share in enumerate(cumulative_matches(found, 7), start=1):
            expected = top_k_accuracy_score(
                people[known], scores, k=min(rank, 6), labels=np.arange(7)
            )
            assert share == pytest.approx(1.0 if rank == 7 else expected, abs=1e-9)

    def test_it_rises_to_one_where_everybody_is_enrolled(self):
        gallery, enrolled, probes, people = people_of(3, spread=5)
        found = search_gallery(gallery, enrolled, probes, people % 7)
        shares = cumulative_matches(found, 7)
        assert (np.diff(shares) >= 0).all() and shares[-1] == 1

    def test_weights_are_repetitions(self):
        gallery, enrolled, probes, people = people_of(4, lost=3)
        times = np.random.default_rng(0).integers(0, 3, len(people))
        found = search_gallery(gallery, enrolled, probes, people % 7)
        repeated = found.where(np.repeat(np.arange(len(people)), times))
        np.testing.assert_allclose(
            cumulative_matches(found, 5, times), cumulative_matches(repeated, 5)
        )

    def test_more_ranks_than_people(self):
        found = search_gallery(np.eye(2), [0, 1], np.eye(2), [0, 1])
        assert cumulative_matches(found, 4).tolist() == [1] * 4


class TestDistractors:
    def test_they_are_people_of_the_gallery(self):
        gallery, enrolled, probes, people = people_of(5, lost=2)
        strangers = people_of(6, probes=30)[2]
        nearest = np.sort(((probes[:, None] - strangers.astype(np.float64)) ** 2).sum(-1), axis=1)
        nearest = np.nan_to_num(nearest, nan=np.inf)
        found = search_gallery(gallery, enrolled, probes, people).with_distractors(nearest)
        both = search_gallery(
            np.concatenate([gallery, strangers]),
            np.concatenate([enrolled, 100 + np.arange(30)]),
            probes,
            people,
        )
        seen = ~np.isnan(probes[:, 0])
        np.testing.assert_allclose(columns(found)[seen], columns(both)[seen], atol=1e-9)
        assert (found.own[~seen] == np.inf).all() and (found.foreign[~seen] == np.inf).all()

    def test_the_nearest_k_decide_ranks_up_to_k(self):
        found = search_gallery(np.eye(2), [0, 1], np.array([[0.6, 0.8]]), [0])
        assert found.with_distractors([[0.1, 0.2]]).rank.tolist() == [4]
        assert found.with_distractors([[0.1, np.inf]]).rank.tolist() == [3]
        assert found.with_distractors([[0.8, 0.9]]).rank.tolist() == [3]  # 0.8 ties with its own

    def test_a_distractor_can_raise_an_alarm(self):
        found = search_gallery(np.eye(2), [0, 1], np.eye(2)[:1], [5]).with_distractors([[-0.0]])
        assert found.foreign.tolist() == [0]


class TestOpenSet:
    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("far", [0.05, 0.1, 0.3, 0.5, 1.0])
    def test_detection_rate_is_that_of_all_thresholds(self, seed, far):
        given = people_of(seed, spread=0.8, lost=seed % 2)
        known = given[3] < 7
        curve = OpenSet(search_gallery(*given), known).curve()
        expected = twins.detection_rate(twins.searched(*given), known, far)
        point = operating_point(curve, far)
        assert point.tar == pytest.approx(expected, abs=1e-9)
        assert point.far <= far

    def test_weights_are_repetitions(self):
        given = people_of(8)
        found, known = search_gallery(*given), given[3] < 7
        times = np.random.default_rng(1).integers(0, 3, len(known)).astype(float)
        rows = np.repeat(np.arange(len(known)), times.astype(int))
        weighted = OpenSet(found, known).curve(times)
        repeated = OpenSet(found.where(rows), known[rows]).curve()
        for far in (0.1, 0.2, 0.6):
            assert operating_point(weighted, far).tar == operating_point(repeated, far).tar

    def test_the_wrong_name_is_no_success_however_near(self):
        """The probe of 0 is nearest to 1: no threshold makes it right."""
        probes = np.array([[0.1, 0.99498744], [-1.0, 0.0]])
        found = search_gallery(np.eye(2), [0, 1], probes, [0, 9])
        assert OpenSet(found, np.array([True, False])).curve().tar.max() == 0

    def test_a_lost_unknown_probe_is_never_an_alarm(self):
        probes = np.array([[1.0, 0.0], [np.nan, np.nan], [-1.0, 0.0]])
        found = search_gallery(np.eye(2), [0, 1], probes, [0, 9, 9])
        curve = OpenSet(found, np.array([True, False, False])).curve()
        assert operating_point(curve, 0.49).tar == 1
        assert curve.far.max() == 0.5

    @pytest.mark.parametrize("kind", [True, False])
    def test_one_kind_of_probe_is_refused(self, kind):
        found = search_gallery(np.eye(2), [0, 1], np.eye(2), [0, 1])
        with pytest.raises(ValueError, match="not defined"):
            OpenSet(found, np.full(2, kind))


class TestAveragePrecision:
    @pytest.mark.parametrize("seed", range(5))
    def test_it_is_that_of_a_loop(self, seed):
        _, _, vectors, people = people_of(seed, spread=0.9)
        found = average_precisions(vectors, people)
        for row, value in enumerate(found):
            others = np.arange(len(people)) != row
            distance = ((vectors[others].astype(float) - vectors[row]) ** 2).sum(axis=1)
            same = (people == people[row])[others]
            if not same.any():
                assert np.isnan(value)
                continue
            assert value == pytest.approx(twins.average_precision(distance, same), abs=1e-9)
            assert value == pytest.approx(average_precision_score(same, -distance), abs=1e-9)

    def test_blocks_do_not_show(self, monkeypatch):
        _, _, vectors, people = people_of(7, lost=3)
        whole = average_precisions(vectors, people)
        monkeypatch.setattr(identification, "_CELLS_AT_ONCE", 100)
        np.testing.assert_allclose(average_precisions(vectors, people), whole, atol=1e-12)

    def test_lost_pictures_are_neither_found_nor_find(self):
        vectors = np.array([[1.0, 0], [1.0, 0], [np.nan, np.nan], [0, 1.0]])
        found = average_precisions(vectors, [0, 0, 0, 1])
        assert found[:3].tolist() == [0.5, 0.5, 0.0]
        assert np.isnan(found[3])

    def test_a_tie_counts_against(self):
        vectors = np.tile([1.0, 0.0], (4, 1))
        assert average_precisions(vectors, [0, 0, 1, 2])[:2].tolist() == [1 / 3, 1 / 3]
