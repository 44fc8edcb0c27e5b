import hashlib
import json
import shutil
from pathlib import Path

import pytest

from facenet_tf.errors import InputError
from facenet_tf.records.output_directory import OutputDirectory
from facenet_tf.records.plan import Plan, ShardTask
from facenet_tf.records.rows import Row
from facenet_tf.records.shard import Shard

FILE = "shard-00000-of-00001.tfrecord"


@pytest.fixture
def output(tmp_path):
    with OutputDirectory(tmp_path / "deep" / "data") as output:
        yield output


def keep(output, content=b"content"):
    (output.unfinished / FILE).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    rows = [Row("a/1", "a", 0, "", "ff", "ok", shard=0)]
    shard = Shard(0, FILE, len(content), digest, rows, "task")
    output.keep(shard)
    return shard


def task(file=FILE, fingerprint="task"):
    return ShardTask(0, file, (), fingerprint)


def plan(fingerprint="plan", of_task="task"):
    return Plan([task(FILE, of_task)], fingerprint)


def finish(output, **manifest):
    (output.new / "index.npy").write_bytes(b"index")
    output.complete(manifest)
    output.publish()


def manifest(output):
    return json.loads((output.path / "dataset.json").read_text())


def begin(output, a_plan=None):
    output.claim()
    output.start(a_plan or plan())


def names(output):
    return sorted(path.name for path in output.path.iterdir())


def test_finished_shards_are_kept_for_the_same_task(output):
    begin(output)
    shard = keep(output)
    begin(output)
    assert output.kept(task()) == shard
    assert output.kept(task("shard-00001-of-00001.tfrecord")) is None
    begin(output, plan("another plan"))
    assert output.kept(task()) == shard


def test_shards_of_another_task_are_removed(output):
    begin(output)
    keep(output)
    begin(output, plan("another plan", "another task"))
    assert output.kept(task(fingerprint="another task")) is None
    assert not list(output.new.iterdir())
    assert names(output) == [".building"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_note_that_was_cut_is_no_note(output, content):
    begin(output)
    keep(output)
    (note,) = output.path.rglob("notes/*")
    note.write_bytes(content)
    begin(output)
    assert output.kept(task()) is None


def test_damaged_shard_is_not_kept(output):
    begin(output)
    keep(output)
    (output.new / FILE).write_bytes(b"contend")
    assert output.kept(task()) is None


def test_unfinished_shard_has_another_place_each_time(output):
    begin(output)
    first = output.unfinished
    (first / FILE).write_bytes(b"half")
    assert output.kept(task()) is None
    begin(output)
    assert not first.exists()
    assert output.unfinished != first


@pytest.mark.parametrize("links", [True, False])
def test_shard_of_the_finished_dataset_is_adopted_if_intact(output, monkeypatch, links):
    begin(output)
    shard = keep(output)
    finish(output)
    if not links:
        monkeypatch.setattr("os.link", refused)
    for _ in range(2):  # also after an interruption
        begin(output, plan("new plan"))
        assert output.adopt(shard)
        assert output.kept(task()) == shard
    (output.path / FILE).write_bytes(b"contend")
    (output.new / FILE).unlink(missing_ok=True)
    assert not output.adopt(shard)
    keep(output)
    finish(output, name="new")
    assert names(output) == ["dataset.json", "index.npy", FILE]
    assert (output.path / FILE).read_bytes() == b"content"


def refused(*arguments):
    raise OSError("no links on this file system")


def test_adopted_shards_are_published_once(output):
    begin(output)
    shard = keep(output)
    finish(output)
    begin(output, plan("new plan"))
    output.adopt(shard)
    finish(output, name="new")
    assert names(output) == ["dataset.json", "index.npy", FILE]
    assert (output.path / FILE).read_bytes() == b"content"


def test_finish_leaves_only_the_dataset(output):
    begin(output)
    keep(output)
    finish(output)
    assert names(output) == ["dataset.json", "index.npy", FILE]


def test_finished_dataset_stays_until_the_new_one_is_complete(output):
    begin(output)
    keep(output)
    finish(output)
    begin(output, plan("new plan", "new task"))
    assert names(output) == [".building", "dataset.json", "index.npy", FILE]
    keep(output, b"new content")
    finish(output, name="new")
    assert names(output) == ["dataset.json", "index.npy", FILE]
    assert (output.path / FILE).read_bytes() == b"new content"
    assert manifest(output) == {"name": "new"}


def test_finished_dataset_is_not_written_to_before_the_start(output):
    begin(output)
    keep(output)
    finish(output)
    with OutputDirectory(output.path) as again:
        again.claim()
        again.decline()
        assert names(output) == ["dataset.json", "index.npy", FILE]


def test_foreign_files_are_never_touched(output):
    output.path.mkdir(parents=True)
    (output.path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="holds other files"):
        output.claim()
    assert names(output) == ["holiday.jpg"]


def test_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"file/data cannot be written"):
        OutputDirectory(tmp_path / "file" / "data").claim()


def test_old_files_go_with_the_old_dataset(output):
    begin(output)
    keep(output)
    finish(output)
    for name in ("shard-00001-of-00002.tfrecord", "recovered.png", "images.csv"):
        (output.path / name).write_bytes(b"old")
    (output.path / "notes.txt").write_text("of the owner")
    begin(output, plan("other plan", "other task"))
    keep(output)
    finish(output)
    assert names(output) == ["dataset.json", "index.npy", "notes.txt", FILE]


@pytest.mark.parametrize("after", range(5))
def test_interruption_while_publishing(output, monkeypatch, after):
    """The old dataset is replaced in steps; the same build takes it up at any of them."""
    begin(output)
    keep(output, b"old")
    (output.path / "shard-00001-of-00002.tfrecord").write_bytes(b"old")
    finish(output, fingerprint="old")
    begin(output, plan("new", "new task"))
    keep(output, b"new")
    (output.new / "recovered.png").write_bytes(b"new")
    moves = []

    def interrupted(path, *arguments):
        if len(moves) == after:
            raise KeyboardInterrupt
        moves.append(path)
        return replace(path, *arguments)

    (output.new / "index.npy").write_bytes(b"new")
    output.complete({"fingerprint": "new"})
    with monkeypatch.context() as patch:
        replace = Path.replace
        patch.setattr(Path, "replace", interrupted)
        patch.setattr(shutil, "rmtree", lambda path: interrupted(path, path))
        with output, pytest.raises(KeyboardInterrupt):
            output.publish()
    with OutputDirectory(output.path) as again:
        again.claim()
        if after == 4:  # nothing but the scratch directory was left to remove
            assert again.is_finished
            again.decline()
        else:
            again.start(plan("new", "new task"))
            assert again.is_complete
            again.publish()
    assert names(output) == ["dataset.json", "index.npy", "recovered.png", FILE]
    assert manifest(output) == {"fingerprint": "new"}
    assert {(output.path / name).read_bytes() for name in names(output)[1:]} == {b"new"}


def test_second_build_at_the_same_time_is_refused(output):
    with output:
        begin(output)
        keep(output)
        with pytest.raises(InputError, match="another build"):
            OutputDirectory(output.path).claim()
        assert output.kept(task())
    begin(OutputDirectory(output.path))


def test_interrupted_replacement_is_continued(output):
    begin(output)
    keep(output)
    finish(output)
    with output:
        begin(output, plan("new plan", "task"))
        shard = keep(output, b"new")
    with OutputDirectory(output.path) as again:
        again.claim()
        again.decline()  # by another command
    with OutputDirectory(output.path) as again:
        begin(again, plan("new plan", "task"))
        assert again.kept(task()) == shard
