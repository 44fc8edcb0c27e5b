import hashlib

import pytest

from facenet_tf.errors import InputError
from facenet_tf.records.output_directory import OutputDirectory
from facenet_tf.records.rows import Row
from facenet_tf.records.shard import Shard

FILE = "shard-00000-of-00001.tfrecord"


@pytest.fixture
def output(tmp_path):
    return OutputDirectory(tmp_path / "deep" / "data")


def keep(output, content=b"content"):
    (output.scratch / FILE).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    shard = Shard(0, FILE, len(content), digest, [Row("a/1", "a", 0, "train", "ff", "ok", shard=0)])
    output.keep(shard)
    return shard


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
    (output.path / FILE).write_bytes(b"contend")
    assert output.kept(FILE) is None


def test_unfinished_shard_has_another_name(output):
    begin(output)
    (output.scratch / FILE).write_bytes(b"half")
    assert names(output) == [".building"]
    assert output.kept(FILE) is None


def test_finish_leaves_only_the_dataset(output):
    begin(output)
    keep(output)
    output.finish("{}")
    assert names(output) == ["dataset.json", FILE]


def test_finished_dataset_is_refused_or_overwritten(output):
    begin(output)
    keep(output)
    output.finish("{}")
    with pytest.raises(InputError, match=r"already holds a dataset.*--overwrite"):
        begin(output)
    assert names(output) == ["dataset.json", FILE]
    begin(output, "plan", True)
    assert names(output) == [".building"]


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
    output.finish("{}")
    output.claim(True)
    assert names(output) == [".building", "dataset.json", FILE]
