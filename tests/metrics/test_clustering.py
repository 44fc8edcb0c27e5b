"""Figures over clusters: published examples, loops over pictures, scikit-learn, and what Amigó et
al. demand of such a figure."""

import itertools

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from facenet_tf.metrics import ClusterTable, noise_apart

# Manning, Raghavan and Schütze, 2008, figure 16.4.
MANNING_PEOPLE = list("xxxxxo") + list("xooood") + list("xxddd")
MANNING_CLUSTERS = [1] * 6 + [2] * 6 + [3] * 5
# Bagga and Baldwin, COLING 1998: five, two and five mentions; two answers.
BAGGA_PEOPLE = [1] * 5 + [2] * 2 + [3] * 5
BAGGA_FIRST = [1] * 5 + [2] * 7
BAGGA_SECOND = [1] * 5 + [2] * 2 + [1] * 5


def made_up(seed):
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 40))
    people = random.integers(0, random.integers(1, 8), count)
    clusters = random.integers(0, random.integers(1, 12), count)
    return people, clusters


def bcubed_by_hand(people, clusters):
    precisions, recalls = [], []
    for person, cluster in zip(people, clusters):
        of_cluster = [p for p, c in zip(people, clusters) if c == cluster]
        of_person = [c for p, c in zip(people, clusters) if p == person]
        precisions.append(of_cluster.count(person) / len(of_cluster))
        recalls.append(of_person.count(cluster) / len(of_person))
    return np.mean(precisions), np.mean(recalls)


def pairwise_by_hand(people, clusters):
    pairs = [
        (people[a] == people[b], clusters[a] == clusters[b])
        for a, b in itertools.combinations(range(len(people)), 2)
    ]
    both = sum(same and together for same, together in pairs)
    together = sum(flag for _, flag in pairs)
    same = sum(flag for flag, _ in pairs)
    return (both / together if together else 1.0), (both / same if same else 1.0)


class TestPublished:
    def test_bcubed_of_bagga_and_baldwin(self):
        first = ClusterTable(BAGGA_PEOPLE, BAGGA_FIRST).bcubed()
        second = ClusterTable(BAGGA_PEOPLE, BAGGA_SECOND).bcubed()
        assert (round(first.precision, 2), first.recall) == (0.76, 1)
        assert (round(second.precision, 2), second.recall) == (0.58, 1)

    def test_bcubed_of_elki(self):
        """The figures that ELKI's own test demands of its implementation."""
        people = [1] * 6 + [2] * 6 + [3] * 5
        clusters = [1, 1, 1, 1, 2, 1, 2, 2, 2, 2, 3, 1, 3, 3, 3, 2, 2]
        found = ClusterTable(people, clusters).bcubed()
        assert found.precision == pytest.approx(0.57843137254902, abs=1e-14)
        assert found.recall == pytest.approx(0.584313725490196, abs=1e-14)

    def test_purity_information_and_pairs_of_manning(self):
        table = ClusterTable(MANNING_PEOPLE, MANNING_CLUSTERS)
        assert table.purity() == pytest.approx(12 / 17)
        assert round(table.normalised_mutual_information(), 2) == 0.36
        assert table.pairwise().precision == pytest.approx(20 / 40)
        assert table.pairwise().recall == pytest.approx(20 / 44)
        assert round(table.pairwise().f, 2) == 0.48


@pytest.mark.parametrize("seed", range(30))
class TestAgainstDefinitions:
    def test_bcubed(self, seed):
        people, clusters = made_up(seed)
        found = ClusterTable(people, clusters).bcubed()
        expected = bcubed_by_hand(people, clusters)
        assert (found.precision, found.recall) == pytest.approx(expected, abs=1e-9)
        with_f = 2 * expected[0] * expected[1] / sum(expected)
        assert found.f == pytest.approx(with_f, abs=1e-9)

    def test_weights_are_repetitions_of_a_picture_in_the_means(self, seed):
        people, clusters = made_up(seed)
        times = np.random.default_rng(seed).integers(0, 4, len(people))
        times[0] = 1
        chosen = np.arange(len(people)) == len(people) - 1
        table = ClusterTable(people, clusters)
        alone = table.bcubed(chosen)
        own = (people == people[-1]) & (clusters == clusters[-1])
        assert alone.precision == pytest.approx(own.sum() / (clusters == clusters[-1]).sum())
        assert alone.recall == pytest.approx(own.sum() / (people == people[-1]).sum())
        each = [table.bcubed(np.arange(len(people)) == row).recall for row in range(len(people))]
        assert table.bcubed(times).recall == pytest.approx(np.average(each, weights=times))

    def test_pairs(self, seed):
        people, clusters = made_up(seed)
        found = ClusterTable(people, clusters).pairwise()
        expected = pairwise_by_hand(people, clusters)
        assert (found.precision, found.recall) == pytest.approx(expected, abs=1e-9)

    def test_drawn_people_count_as_pairs_and_pictures_do(self, seed):
        """Each picture's share and each pair, by hand, as often as their people were drawn."""
        people, clusters = made_up(seed)
        people = np.unique(people, return_inverse=True)[1]
        times = np.random.default_rng(seed).integers(1, 4, people.max() + 1)
        table = ClusterTable(people, clusters)
        strangers = twos = of_one = both = 0
        sizes = np.bincount(people)
        for a, b in itertools.combinations(range(len(people)), 2):
            same = people[a] == people[b]
            count = times[people[a]] * (1 if same else times[people[b]])
            twos += 0 if same else count / (sizes[people[a]] * sizes[people[b]])
            strangers += count * (not same and clusters[a] == clusters[b])
            of_one += count * same
            both += count * (same and clusters[a] == clusters[b])
        found = table.pairwise(times)
        expected_twos = times.sum() * (len(times) - 1) / 2
        together = both + (strangers * expected_twos / twos if strangers else 0)
        assert found.precision == pytest.approx(both / together if together else 1)
        assert found.recall == pytest.approx(both / of_one if of_one else 1)
        shown = {c: np.bincount(people[clusters == c]).argmax() for c in set(clusters)}
        rightly = [person == shown[cluster] for person, cluster in zip(people, clusters)]
        weights = times[people]
        assert table.purity(weights) == pytest.approx(np.average(rightly, weights=weights))

    def test_whom_chance_draws_changes_nothing_where_all_are_alike(self, seed):
        """People drawn twice would make strangers too few, and precision too high."""
        people = np.repeat(np.arange(10), 6)
        table = ClusterTable(people, np.zeros(60))
        drawn = np.random.default_rng(seed).multinomial(10, np.full(10, 0.1))
        assert table.pairwise().precision == pytest.approx(10 * 15 / (60 * 59 / 2))
        assert table.pairwise(drawn).precision == pytest.approx(table.pairwise().precision)

    def test_information_is_scikit_learns(self, seed):
        people, clusters = made_up(seed)
        expected = sklearn_metrics.normalized_mutual_info_score(people, clusters)
        found = ClusterTable(people, clusters).normalised_mutual_information()
        assert found == pytest.approx(expected, abs=1e-9)

    def test_pairs_and_purity_are_scikit_learns(self, seed):
        people, clusters = made_up(seed)
        table = ClusterTable(people, clusters)
        cells = sklearn_metrics.cluster.contingency_matrix(people, clusters)
        assert table.purity() == pytest.approx(cells.max(axis=0).sum() / len(people))
        _, (apart, both) = sklearn_metrics.cluster.pair_confusion_matrix(people, clusters)
        if apart + both:
            assert table.pairwise().recall == pytest.approx(both / (apart + both))

    def test_names_do_not_matter(self, seed):
        people, clusters = made_up(seed)
        names = np.array([f"c{9 - number}" for number in range(12)])
        one, other = ClusterTable(people, clusters), ClusterTable(-people, names[clusters])
        assert one.bcubed() == other.bcubed()
        assert one.pairwise() == other.pairwise()


def f_of(people, clusters):
    return ClusterTable(list(people), list(clusters)).bcubed().f


class TestDemandsOfAmigo:
    """The four constraints of section 3 of the paper, on figures after its figures 1 to 4."""

    def test_homogeneity(self):
        """A cluster of two people is better cut into them."""
        assert f_of("aaabbb", "111222") > f_of("aaabbb", "111111")
        assert f_of("aaabbbcc", "11122233") > f_of("aaabbbcc", "11111133")

    def test_completeness(self):
        """Two clusters of one person are better one."""
        assert f_of("aaaabb", "111122") > f_of("aaaabb", "112233")

    def test_rag_bag(self):
        """A stray picture does less harm among strangers than in a clean cluster."""
        people = "aaaa" + "bcde" + "f"
        assert f_of(people, "1111" + "2222" + "2") > f_of(people, "1111" + "2222" + "1")

    def test_size_against_quantity(self):
        """A small mistake in a big cluster is better than many in small ones."""
        people = "aaaaa" + "bbccddee"
        one_off = f_of(people, "11116" + "22334455")
        all_off = f_of(people, "11111" + "23456789")
        assert one_off > all_off


class TestDegenerate:
    def test_all_right(self):
        table = ClusterTable([5, 5, 7], ["x", "x", "y"])
        assert table.bcubed().f == table.pairwise().f == table.purity() == 1
        assert table.normalised_mutual_information() == pytest.approx(1)

    def test_one_cluster_of_everybody(self):
        table = ClusterTable([0, 0, 1, 1], [3, 3, 3, 3])
        assert table.bcubed().precision == 0.5
        assert table.bcubed().recall == 1
        assert table.normalised_mutual_information() == 0
        assert table.purity() == 0.5

    def test_one_person_in_one_cluster(self):
        assert ClusterTable([1, 1], [2, 2]).normalised_mutual_information() == 1

    def test_everybody_alone_has_no_wrong_pair(self):
        found = ClusterTable([0, 0, 1], [0, 1, 2]).pairwise()
        assert (found.precision, found.recall, found.f) == (1, 0, 0)

    @pytest.mark.parametrize(("people", "clusters"), [([], []), ([1, 2], [1]), ([[1]], [[1]])])
    def test_bad_input_is_refused(self, people, clusters):
        with pytest.raises(ValueError, match="N >= 1"):
            ClusterTable(people, clusters)


@pytest.mark.parametrize(
    ("clusters", "expected"),
    [
        ([4, -1, 4, 0, -1], [1, 2, 1, 0, 3]),
        ([-1, -1], [0, 1]),
        ([2, 2], [0, 0]),
        ([], []),
    ],
)
def test_each_noise_point_is_a_cluster_of_its_own(clusters, expected):
    assert noise_apart(clusters).tolist() == expected
