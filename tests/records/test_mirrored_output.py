"""Datasets that go to a store while they are built, and come back from it."""

import errno
import json
import shutil
from pathlib import Path

import pytest

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.records import checksums, durable
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.fetch import fetch_dataset
from facenet_tf.records.mirrored_output import MirroredOutput
from facenet_tf.records.output_directory import OutputDirectory
from facenet_tf.records.shard import ShardWriter
from facenet_tf.storage import Store
from tests.records.fake_faces import FACE, SHY, SquareDetector, draw, draw_people, make_detector
from tests.records.test_builder import config_for, contents


@pytest.fixture
def root(tmp_path):
    root = draw_people(tmp_path / "people", 4, 4)
    draw(root / "person0" / "recovered.png", (SHY, 30, 40, 36))
    return root


@pytest.fixture
def url(request):
    pytest.importorskip("fsspec")
    return f"memory://{request.node.name}/faces"


def stored(url):
    store = Store(url)
    return {name: store.read(name) for name in store.sizes()}


def config_of(tmp_path, root, url, output="out", **options):
    return config_for(tmp_path, root, output, shards=4, output_url=url, **options)


def counted(monkeypatch, owner, *names, ends_at=-1):
    """The calls of methods from now on; before one of them there is an interruption."""
    calls = []

    def counting(function):
        def call(*arguments):
            if len(calls) == ends_at:
                raise KeyboardInterrupt
            calls.append(arguments[1:])
            return function(*arguments)

        return call

    for name in names:
        monkeypatch.setattr(owner, name, counting(getattr(owner, name)))
    return calls


def test_the_store_holds_what_the_directory_does(root, tmp_path, url):
    dataset = build_dataset(config_of(tmp_path, root, url), make_detector)
    assert stored(url) == contents(dataset.directory)
    plain = build_dataset(config_for(tmp_path, root, "plain", shards=4), make_detector)
    assert contents(plain.directory) == contents(dataset.directory)


# The changes of the store: it is begun, the old manifest goes; 4 shards with a note each; rows,
# index, sheet, report; the manifest; 4 notes and the beginning go. A few in every run, the others
# where there is time.
CHANGES = 2 + 4 * 2 + 4 + 1 + 4 + 1
MOMENTS = [pytest.param(n, marks=() if n in (3, 12) else pytest.mark.slow) for n in range(CHANGES)]


@pytest.mark.parametrize("ends_at", MOMENTS)
@pytest.mark.parametrize("elsewhere", [False, True], ids=["same", "elsewhere"])
def test_interrupted_before_any_change_of_the_store(
    root, tmp_path, url, monkeypatch, ends_at, elsewhere
):
    config = config_of(tmp_path, root, url)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        counted(patch, Store, "upload", "write", "remove", ends_at=ends_at)
        build_dataset(config, make_detector)
    assert ("dataset.json" in stored(url)) == (ends_at >= CHANGES - 5)
    if elsewhere:
        shutil.rmtree(config.output)
    with monkeypatch.context() as patch:
        written = counted(patch, ShardWriter, "write")
        dataset = build_dataset(config, make_detector)
    assert stored(url) == contents(dataset.directory)
    plain = build_dataset(config_for(tmp_path, root, "plain", shards=4), make_detector)
    assert contents(plain.directory) == contents(dataset.directory)
    # Here nothing finished is built again, elsewhere nothing that has come to the store with its
    # note, until the notes go.
    notes = min(4, max(0, (ends_at - 2) // 2), max(0, CHANGES - 1 - ends_at))
    assert len(written) == 4 - (notes if elsewhere else min(4, 1 + max(0, (ends_at - 2) // 2)))


def test_changes_of_the_store_are_all_counted(root, tmp_path, url, monkeypatch):
    calls = counted(monkeypatch, Store, "upload", "write", "remove")
    build_dataset(config_of(tmp_path, root, url), make_detector)
    assert len(calls) == CHANGES


def test_a_damaged_shard_in_the_store_is_built_again(root, tmp_path, url, monkeypatch, caplog):
    config = config_of(tmp_path, root, url)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        counted(patch, Store, "upload", ends_at=3)
        build_dataset(config, make_detector)
    shutil.rmtree(config.output)
    shard = sorted(name for name in stored(url) if name.endswith(".tfrecord"))[0]
    data = bytearray(stored(url)[shard])
    data[len(data) // 2] ^= 1
    Store(url).write(shard, bytes(data))
    dataset = build_dataset(config, make_detector)
    assert f"{shard} is damaged in {url}: it is built again" in caplog.text
    assert stored(url) == contents(dataset.directory)


def test_a_changed_picture_changes_its_shard_in_the_store(root, tmp_path, url, monkeypatch):
    config = config_of(tmp_path, root, url)
    build_dataset(config, make_detector)
    draw(root / "person1" / "new.png", (FACE, 30, 40, 48), seed=7)
    calls = counted(monkeypatch, Store, "upload")
    dataset = build_dataset(config, make_detector)
    assert stored(url) == contents(dataset.directory)
    assert sum(name.endswith(".tfrecord") for _, name in calls) == 1


def test_other_number_of_shards_leaves_no_old_ones(root, tmp_path, url):
    build_dataset(config_of(tmp_path, root, url), make_detector)
    config = config_for(tmp_path, root, shards=3, output_url=url, overwrite=True)
    dataset = build_dataset(config, make_detector)
    assert stored(url) == contents(dataset.directory)


def test_a_finished_dataset_is_put_into_a_store_later(root, tmp_path, url, monkeypatch):
    build_dataset(config_for(tmp_path, root, shards=4), make_detector)
    with monkeypatch.context() as patch:
        written = counted(patch, ShardWriter, "write")
        dataset = build_dataset(config_of(tmp_path, root, url), make_detector)
        assert not written
    assert stored(url) == contents(dataset.directory)
    with monkeypatch.context() as patch:
        put = counted(patch, Store, "upload", "write")
        build_dataset(config_of(tmp_path, root, url), make_detector)
        assert not put


def test_a_dataset_of_another_detector_is_replaced_only_when_asked(root, tmp_path, url):
    build_dataset(config_of(tmp_path, root, url), make_detector)
    before = stored(url)
    with pytest.raises(InputError, match=r"already holds a dataset, built with detector .*now"):
        build_dataset(config_of(tmp_path, root, url, "other"), lambda _: SquareDetector("new"))
    assert stored(url) == before


def test_a_shard_that_the_store_has_lost_is_put_there_again(root, tmp_path, url, monkeypatch):
    config = config_of(tmp_path, root, url)
    dataset = build_dataset(config, make_detector)
    Store(url).remove(dataset.manifest["shards"][1]["file"])
    written = counted(monkeypatch, ShardWriter, "write")
    build_dataset(config, make_detector)
    assert stored(url) == contents(dataset.directory)
    assert not written


@pytest.mark.parametrize("moved", [0, 3])
def test_a_build_that_only_has_to_be_published(root, tmp_path, url, monkeypatch, moved):
    local = config_for(tmp_path, root, shards=4)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        complete = OutputDirectory.complete

        def completed(*arguments):
            complete(*arguments)
            counted(patch, Path, "replace", ends_at=moved)

        patch.setattr(OutputDirectory, "complete", completed)
        build_dataset(local, make_detector)
    dataset = build_dataset(config_of(tmp_path, root, url), make_detector)
    assert stored(url) == contents(dataset.directory)


def test_what_the_store_holds_otherwise_is_left_alone(root, tmp_path, url):
    Store(url).write("holiday.txt", b"mine")
    with pytest.raises(InputError, match=f"--output-url {url} holds other files"):
        build_dataset(config_of(tmp_path, root, url), make_detector)
    assert stored(url) == {"holiday.txt": b"mine"}


def test_a_dataset_of_other_options_is_replaced_only_when_asked(root, tmp_path, url):
    build_dataset(config_of(tmp_path, root, url), make_detector)
    other = config_of(tmp_path, root, url, "other", encoding="png")
    before = stored(url)
    with pytest.raises(InputError, match=f"--output-url {url} already holds a dataset"):
        build_dataset(other, make_detector)
    assert stored(url) == before
    dataset = build_dataset(
        config_of(tmp_path, root, url, "other", encoding="png", overwrite=True), make_detector
    )
    assert stored(url) == contents(dataset.directory)


def test_pictures_of_a_store_give_the_same_dataset(root, tmp_path, url):
    photos = Store("memory://photos/people")
    for path in root.rglob("*.png"):
        photos.upload(path, str(path.relative_to(root)))
    config = config_for(tmp_path, None, shards=4, source_url=photos.url)
    local = build_dataset(config_for(tmp_path, root, "local", shards=4), make_detector)
    dataset = build_dataset(config, make_detector)
    assert contents(dataset.directory) == contents(local.directory)


class TestFetching:
    @pytest.fixture
    def built(self, root, tmp_path, url):
        return build_dataset(config_of(tmp_path, root, url), make_detector)

    def test_comes_back_byte_for_byte(self, built, tmp_path, url):
        dataset = fetch_dataset(url, tmp_path / "fetched")
        assert contents(dataset.directory) == contents(built.directory)

    def test_an_interrupted_copy_is_continued(self, built, tmp_path, url, monkeypatch):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            counted(patch, Store, "download", ends_at=3)
            fetch_dataset(url, tmp_path / "fetched")
        assert not (tmp_path / "fetched" / "dataset.json").exists()
        calls = counted(monkeypatch, Store, "download")
        dataset = fetch_dataset(url, tmp_path / "fetched")
        assert len(calls) == 8 - 3
        assert contents(dataset.directory) == contents(built.directory)

    def test_a_damaged_file_is_named_and_no_dataset_is_made(self, built, tmp_path, url):
        Store(url).write("images.csv", b"path\n")
        with pytest.raises(InputError, match=r"images\.csv is damaged"):
            fetch_dataset(url, tmp_path / "fetched")
        assert not (tmp_path / "fetched" / "dataset.json").exists()

    def test_a_missing_file_is_named(self, built, tmp_path, url):
        Store(url).remove("index.npy")
        with pytest.raises(InputError, match=r"index\.npy cannot be read"):
            fetch_dataset(url, tmp_path / "fetched")

    def test_no_dataset_there(self, tmp_path, url):
        with pytest.raises(InputError, match=r"has no dataset\.json"):
            fetch_dataset(url, tmp_path / "fetched")

    def test_other_format(self, built, tmp_path, url):
        Store(url).write("dataset.json", json.dumps({**built.manifest, "format": 99}).encode())
        with pytest.raises(InputError, match="format 99, this version reads 1"):
            fetch_dataset(url, tmp_path / "fetched")

    def test_a_damaged_manifest_is_refused_before_anything_is_written(self, built, tmp_path, url):
        written = Store(url).read("dataset.json")
        Store(url).write("dataset.json", written.replace(b'"records": ', b'"records":  ', 1))
        with pytest.raises(InputError, match=r"dataset\.json is damaged"):
            fetch_dataset(url, tmp_path / "fetched")
        assert not (tmp_path / "fetched").exists()

    @pytest.mark.parametrize("name", ["../outside", "/outside", "a/b", "..", ""])
    def test_files_that_would_lie_elsewhere_are_refused(self, built, tmp_path, url, name):
        content = {key: value for key, value in built.manifest.items() if key != "checksum"}
        manifest = checksums.sealed({**content, "files": {name: "0" * 64}})
        Store(url).write("dataset.json", durable.as_json(manifest))
        with pytest.raises(InputError, match="no file of a dataset"):
            fetch_dataset(url, tmp_path / "fetched")
        assert not (tmp_path / "fetched").exists()

    def test_a_manifest_without_files_is_refused(self, tmp_path, url):
        Store(url).write("dataset.json", b'{"format": 1}')
        with pytest.raises(InputError, match="names no files"):
            fetch_dataset(url, tmp_path / "fetched")

    def test_a_full_disk_can_be_continued(self, built, tmp_path, url, monkeypatch):
        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch, pytest.raises(Interrupted, match="no room left"):
            patch.setattr(Store, "download", full)
            fetch_dataset(url, tmp_path / "fetched")
        dataset = fetch_dataset(url, tmp_path / "fetched")
        assert contents(dataset.directory) == contents(built.directory)

    def test_a_directory_of_other_things_is_left_alone(self, built, tmp_path, url):
        (tmp_path / "fetched").mkdir()
        (tmp_path / "fetched" / "holiday.txt").write_text("mine")
        with pytest.raises(InputError, match=r"holds other files \(holiday\.txt\)"):
            fetch_dataset(url, tmp_path / "fetched")
        assert [path.name for path in (tmp_path / "fetched").iterdir()] == ["holiday.txt"]


def test_local_builds_need_no_store(root, tmp_path, monkeypatch):
    monkeypatch.setattr(MirroredOutput, "__init__", None)
    build_dataset(config_for(tmp_path, root), make_detector)
