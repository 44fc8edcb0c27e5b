import dataclasses
from types import SimpleNamespace

import numpy as np

from facenet_tf.datasets.names import normalized
from facenet_tf.evaluation.roster import SEEN, Roster
from facenet_tf.evaluation.seen import SeenPeople, combined, seen_by_file, seen_people, without_seen
from facenet_tf.evaluation.table import people_name


def roster() -> Roster:
    names = np.array(["Ann_A", "Bob_B", "Cid_C", "Dan_D"])
    return Roster(
        keys=names,
        identities=names,
        splits=np.array(["train", "validation", "test", "test"]),
        outcomes=np.full(4, "ok"),
        records=np.arange(4),
        duplicate=np.zeros(4, bool),
    )


def test_people_recorded_by_the_run_count_on_any_dataset():
    run = {"fingerprint": "other", "dataset": {"seen_people": ["cid c"]}}
    seen = seen_people(run, SimpleNamespace(fingerprint="this"), roster())
    assert "Cid_C" in seen
    assert "Ann_A" not in seen
    assert without_seen(roster(), seen).splits.tolist() == ["train", "validation", SEEN, "test"]


def test_weights_of_others_that_a_run_began_with_are_told_of():
    run = {"dataset": {"seen_people": ["cid c"], "seen_before": "dlib"}}
    manifest = {"source": "folder", "name": "pubfig83_dlib"}
    dataset = SimpleNamespace(manifest=manifest, fingerprint="this")
    seen = seen_people(run, dataset, roster())
    assert "Cid_C" in seen
    assert seen.before == "likely seen in pretraining"
    assert seen.source == (
        "recorded by the run; by the weights it began with (dlib): likely seen in pretraining"
    )
    figures = {"seen_people": {"before": seen.before}}
    assert people_name(figures) == "people (likely seen in pretraining)"
    assert people_name({"seen_people": {"before": None}}) == "unseen people"


def test_same_dataset_hides_its_training_and_validation_people():
    seen = seen_people({"fingerprint": "f"}, SimpleNamespace(fingerprint="f"), roster())
    assert [name in seen for name in roster().identities] == [True, True, False, False]
    assert without_seen(roster(), seen).splits.tolist() == roster().splits.tolist()


def test_who_only_steered_may_choose_and_who_was_trained_on_may_not():
    """On another dataset, where both are validation people."""
    there = dataclasses.replace(
        roster(), splits=np.array(["validation", "validation", "validation", "test"])
    )
    record = {"seen_people": ["ann a", "bob b", "dan d"], "steering_people": ["bob b", "dan d"]}
    seen = seen_people({"dataset": record}, SimpleNamespace(fingerprint="this"), there)
    assert without_seen(there, seen).splits.tolist() == [SEEN, "validation", "validation", SEEN]
    assert [seen.steered(name) for name in there.identities] == [False, True, False, True]
    assert seen.trained == {normalized("Ann_A")}


def test_a_run_of_before_does_not_say_who_steered():
    """On another dataset nobody it saw may choose; on its own the split says who steered."""
    run = {"fingerprint": "f", "dataset": {"seen_people": ["ann a", "bob b"]}}
    other = seen_people(run, SimpleNamespace(fingerprint="other"), roster())
    assert without_seen(roster(), other).splits.tolist() == ["train", SEEN, "test", "test"]
    own = seen_people(run, SimpleNamespace(fingerprint="f"), roster())
    assert without_seen(roster(), own).splits.tolist() == roster().splits.tolist()
    assert own.steering == {normalized("Bob_B")}


def test_who_steered_one_system_and_trained_another_was_trained_on():
    one = SeenPeople(frozenset({"ann a", "bob b"}), "one", steering=frozenset({"bob b"}))
    other = SeenPeople(frozenset({"bob b", "cid c"}), "other", steering=frozenset({"cid c"}))
    both = combined([one, other])
    assert both.names == {"ann a", "bob b", "cid c"}
    assert both.steering == {"cid c"}
    assert combined([one]).steering == {"bob b"}


def test_unknown_training_people_are_called_unknown():
    seen = seen_people({}, SimpleNamespace(fingerprint="f"), roster())
    assert not seen.names
    assert "unknown" in seen.source


def test_training_people_of_a_file_of_embeddings_are_seen():
    there = dataclasses.replace(roster(), splits=np.array(["train", "validation", "test", SEEN]))
    told = seen_by_file("theirs.npz", there)
    assert [name in told for name in there.identities] == [True, False, False, True]
    assert told.trained == told.names and "splits of theirs.npz" in told.source
    other = dataclasses.replace(roster(), splits=np.array(["test"] * 4))
    assert without_seen(other, told).splits.tolist() == [SEEN, "test", "test", SEEN]
    assert seen_by_file("theirs.npz", other).source == "unknown: theirs.npz does not say"
