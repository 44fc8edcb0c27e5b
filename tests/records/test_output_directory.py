import hashlib
import shutil
from pathlib import Path

import pytest

from facenet_tf.errors import InputError
from facenet_tf.records.output_directory import OutputDirectory
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
    shard = Shard(0, FILE, len(content), digest, [Row("a/1", "a", 0, "train", "ff", "ok", shard=0)])
    output.keep(shard)
    return shard


def finish(output, manifest="{}"):
    (output.new / "index.npy").write_bytes(b"index")
    output.complete(manifest)
    output.publish()


def begin(output, plan="plan", overwrite=False):
    output.claim(overwrite)
    output.start(plan)


def names(output):
    return sorted(path.name for path in output.path.iterdir())


def test_finished_shards_are_kept_for_the_same_plan(output):
    begin(output)
    shard = keep(output)
    begin(output)
    assert output.kept(FILE) == shard
    assert output.kept("shard-00001-of-00001.tfrecord") is None


def test_another_plan_starts_anew(output):
    begin(output)
    keep(output)
    begin(output, "other plan")
    assert output.kept(FILE) is None
    assert names(output) == [".building"]


def test_damaged_shard_is_not_kept(output):
    begin(output)
    keep(output)
    (output.new / FILE).write_bytes(b"contend")
    assert output.kept(FILE) is None


def test_unfinished_shard_has_another_name(output):
    begin(output)
    (output.unfinished / FILE).write_bytes(b"half")
    assert names(output) == [".building"]
    assert output.kept(FILE) is None


def test_finish_leaves_only_the_dataset(output):
    begin(output)
    keep(output)
    finish(output)
    assert names(output) == ["dataset.json", "index.npy", FILE]


def test_finished_dataset_is_refused_or_overwritten(output):
    begin(output)
    keep(output)
    finish(output)
    with pytest.raises(InputError, match=r"already holds a dataset.*--overwrite"):
        begin(output)
    assert names(output) == ["dataset.json", "index.npy", FILE]
    begin(output, "plan", True)
    assert names(output) == [".building", "dataset.json", "index.npy", FILE]
    keep(output, b"new content")
    finish(output, "[]")
    assert names(output) == ["dataset.json", "index.npy", FILE]
    assert (output.path / FILE).read_bytes() == b"new content"
    assert (output.path / "dataset.json").read_text() == "[]"


@pytest.mark.parametrize("overwrite", [False, True])
def test_foreign_files_are_never_touched(output, overwrite):
    output.path.mkdir(parents=True)
    (output.path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="holds other files"):
        output.claim(overwrite)
    assert names(output) == ["holiday.jpg"]


def test_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"file/data cannot be written"):
        OutputDirectory(tmp_path / "file" / "data").claim(False)


def test_claim_removes_nothing_yet(output):
    begin(output)
    keep(output)
    finish(output)
    output.claim(True)
    assert names(output) == [".building", "dataset.json", "index.npy", FILE]


def test_old_files_go_with_the_old_dataset(output):
    begin(output)
    keep(output)
    finish(output)
    for name in ("shard-00001-of-00002.tfrecord", "recovered.png", "images.csv"):
        (output.path / name).write_bytes(b"old")
    (output.path / "notes.txt").write_text("of the owner")
    begin(output, "other plan", True)
    keep(output)
    finish(output)
    assert names(output) == ["dataset.json", "index.npy", "notes.txt", FILE]


@pytest.mark.parametrize("after", range(5))
def test_interruption_while_publishing(output, monkeypatch, after):
    """The old dataset is replaced in steps; the same build takes it up at any of them."""
    begin(output)
    keep(output, b"old")
    (output.path / "shard-00001-of-00002.tfrecord").write_bytes(b"old")
    finish(output, "old")
    begin(output, "new plan", True)
    keep(output, b"new")
    (output.new / "recovered.png").write_bytes(b"new")
    moves = []

    def interrupted(path, *arguments):
        if len(moves) == after:
            raise KeyboardInterrupt
        moves.append(path)
        return replace(path, *arguments)

    (output.new / "index.npy").write_bytes(b"new")
    output.complete("new")
    with monkeypatch.context() as patch:
        replace = Path.replace
        patch.setattr(Path, "replace", interrupted)
        patch.setattr(shutil, "rmtree", lambda path: interrupted(path, path))
        with output, pytest.raises(KeyboardInterrupt):
            output.publish()
    again = OutputDirectory(output.path)
    if after == 4:  # nothing but the scratch directory was left to remove
        with pytest.raises(InputError, match="already holds"):
            begin(again, "new plan")
    else:
        with again:
            begin(again, "new plan")
            assert again.is_complete
            again.publish()
    assert names(output) == ["dataset.json", "index.npy", "recovered.png", FILE]
    assert {(output.path / name).read_bytes() for name in names(output)} == {b"new"}


def test_second_build_at_the_same_time_is_refused(output):
    with output:
        begin(output)
        keep(output)
        with pytest.raises(InputError, match="another build"):
            OutputDirectory(output.path).claim(True)
        assert output.kept(FILE)
    begin(OutputDirectory(output.path))


def test_interrupted_overwriting_is_continued(output):
    begin(output)
    keep(output)
    finish(output)
    with output:
        begin(output, "new plan", True)
        shard = keep(output, b"new")
    with pytest.raises(InputError, match="already holds"), OutputDirectory(output.path) as again:
        begin(again, "new plan")
    with OutputDirectory(output.path) as again:
        begin(again, "new plan", True)
        assert again.kept(FILE) == shard
