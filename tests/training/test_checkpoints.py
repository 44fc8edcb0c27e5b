"""Checkpoints are whole or not there, and a damaged one is told of and replaced."""

import functools
import shutil

import pytest

from facenet_tf.errors import InputError
from facenet_tf.training.checkpoints import Checkpointing, Checkpoints
from tests.records.test_interruptions import is_ended


def fill(directory):
    (directory / "variables").write_text(f"weights {directory.name}")
    (directory / "empty").write_bytes(b"")


def written(directory, *steps, keep=2):
    checkpoints = Checkpoints(directory, keep)
    for step in steps:
        checkpoints.write(step, {"best": step / 3}, fill)
    return checkpoints


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_newest_is_found_as_it_was_written(tmp_path):
    found = written(tmp_path / "run" / "checkpoints", 4, 12).newest()
    assert (found.step, found.facts) == (12, {"best": 4.0})
    assert (found.directory / "variables").read_text().startswith("weights")
    assert found.hashes.keys() == {"variables", "empty"}


def test_none_is_found_where_none_was_written(tmp_path):
    assert Checkpoints(tmp_path, 2).newest() is None
    assert Checkpoints(tmp_path / "nowhere", 2).newest() is None


@pytest.mark.parametrize("keep", [2, 3])
def test_the_newest_are_kept(tmp_path, keep):
    written(tmp_path, 2, 9, 10, 100, keep=keep)
    assert names(tmp_path) == ["000000009", "000000010", "000000100"][-keep:]


def flip(directory, name):
    data = bytearray((directory / name).read_bytes())
    data[len(data) // 2] ^= 1
    (directory / name).write_bytes(data)


DAMAGES = {
    "a flipped bit": lambda directory: flip(directory, "variables"),
    "a shorter file": lambda directory: (directory / "variables").write_text("weig"),
    "a longer file": lambda directory: (directory / "empty").write_text("x"),
    "a missing file": lambda directory: (directory / "empty").unlink(),
    "a flipped bit in the list": lambda directory: flip(directory, "checkpoint.json"),
    "half a list": lambda directory: (directory / "checkpoint.json").write_text('{"step": 12'),
    "no list": lambda directory: (directory / "checkpoint.json").unlink(),
    "a list of another kind": lambda directory: (directory / "checkpoint.json").write_text("3"),
    "an unsealed list": lambda directory: (directory / "checkpoint.json").write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_told_of_and_replaced_by_the_one_before(tmp_path, caplog, damage):
    checkpoints = written(tmp_path, 4, 12)
    DAMAGES[damage](tmp_path / "000000012")
    assert checkpoints.newest().step == 4
    assert "000000012 is damaged (" in caplog.text
    assert "going back to the checkpoint of step 4" in caplog.text


def test_every_bit_of_a_checkpoint_counts(tmp_path):
    checkpoints = written(tmp_path, 4, 12)
    for file in (tmp_path / "000000012").iterdir():
        whole = file.read_bytes()
        for position in range(0, 8 * len(whole), 5):
            data = bytearray(whole)
            data[position // 8] ^= 1 << position % 8
            file.write_bytes(data)
            assert checkpoints.newest().step == 4, (file.name, position)
        file.write_bytes(whole)
    assert checkpoints.newest().step == 12


def test_a_damaged_one_is_written_again_and_one_beyond_the_step_goes(tmp_path):
    checkpoints = written(tmp_path, 4, 12, 20, keep=3)
    flip(tmp_path / "000000020", "variables")
    flip(tmp_path / "000000012", "variables")
    assert checkpoints.newest().step == 4
    checkpoints.write(12, {}, fill)
    assert checkpoints.newest().step == 12
    assert names(tmp_path) == ["000000004", "000000012"]


def test_when_all_are_damaged_there_is_nothing_to_go_on_from(tmp_path):
    checkpoints = written(tmp_path, 4, 12)
    for step in ("000000004", "000000012"):
        flip(tmp_path / step, "variables")
    with pytest.raises(InputError, match=r"no checkpoint is left to go on from.*--overwrite"):
        checkpoints.newest()


def test_a_step_that_is_written_again_is_never_without_a_checkpoint(tmp_path, monkeypatch):
    """Whatever the process does last to the disk."""
    found = []
    for changes in range(20):
        checkpoints = written(tmp_path, 4, 12)
        write = functools.partial(checkpoints.write, 12, {"new": 1}, fill)
        is_ended(monkeypatch, write, changes)
        newest = checkpoints.newest()
        assert newest.step == 12
        checkpoints.clear()
        assert names(tmp_path) == ["000000004", "000000012"]
        assert checkpoints.newest().facts == newest.facts
        found.append("new" in newest.facts)
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
    assert found == sorted(found) and {*found} == {False, True}


@pytest.mark.parametrize("again", [False, True], ids=["another step", "a damaged step again"])
def test_ended_before_any_change_of_the_disk_there_is_the_old_or_the_new_one(
    tmp_path, monkeypatch, again
):
    found = set()
    for changes in range(20):
        checkpoints = written(tmp_path, 4, 8)
        if again:
            written(tmp_path, 12)
            flip(tmp_path / "000000012", "variables")
        write = functools.partial(checkpoints.write, 12, {"new": 1}, fill)
        ended = is_ended(monkeypatch, write, changes)
        newest = checkpoints.newest()
        assert (newest.step, newest.facts) in [(8, {"best": 8 / 3}), (12, {"new": 1})]
        checkpoints.clear()
        assert not [*tmp_path.glob(".*")]
        settled = checkpoints.newest()
        assert (settled.step, settled.facts) == (newest.step, newest.facts)
        found.add(newest.step)
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
    assert not ended
    assert found == {8, 12}


@pytest.mark.parametrize(
    ("options", "named"),
    [({"steps": -1}, "steps"), ({"minutes": -0.5}, "minutes"), ({"keep": 1}, "keep")],
)
def test_what_makes_no_sense_is_refused_by_name(options, named):
    with pytest.raises(InputError, match=f"--checkpoint.{named} "):
        Checkpointing(**options).check()
