"""A second build over a finished dataset whose pictures, or options, have changed."""

import dataclasses
import json
import logging
import shutil

import pytest

from benchmarks.disturbed import contents
from facenet_tf.errors import InputError
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.changes import Changes, changed_options, changed_pictures
from facenet_tf.records.dataset import FaceDataset, read_manifest
from facenet_tf.records.shard import ShardWriter
from tests.records.fake_faces import (
    FACE,
    SHY,
    draw,
    draw_people,
    make_detector,
    make_other_detector,
)
from tests.records.test_builder import config_for

SHARDS = 4


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("finished")
    root = draw_people(path / "people", 3, 4)
    (root / "person2" / "copy.png").write_bytes((root / "person0" / "1.png").read_bytes())
    draw(root / "person2" / "shy.png", (SHY, 30, 40, 36))
    build_dataset(config_for(path, root, shards=SHARDS), make_detector)
    return path


@pytest.fixture
def world(finished, tmp_path):
    """A copy of pictures and dataset."""
    return shutil.copytree(finished, tmp_path / "world")


@pytest.fixture
def update(world, tmp_path, monkeypatch, caplog):
    """Builds again; returns what was said and which shards were built, after a comparison with a
    build from nothing."""

    def run(**options):
        config = config_for(world, world / "people", **options)
        built = []
        write = ShardWriter.write
        with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
            patch.setattr(
                ShardWriter, "write", lambda self, task: (built.append(task), write(self, task))[1]
            )
            build_dataset(config, make_detector)
        fresh = config_for(tmp_path, world / "people", "fresh", **{**options, "shards": SHARDS})
        assert contents(config.output) == contents(build_dataset(fresh, make_detector).directory)
        return caplog.text, [task.number for task in built]

    return run


def test_added_picture_changes_one_shard(world, update):
    draw(world / "people" / "person1" / "new.png", (FACE, 30, 40, 48))
    said, built = update()
    assert "1 added (person1/new.png)\n" in said
    assert len(built) == 1


def test_number_of_shards_is_kept(world, update):
    for number in range(40):  # by themselves 53 pictures would make three shards
        draw(world / "people" / "person1" / f"new{number}.png", (FACE, 30, 40, 48))
    said, _ = update()
    assert "40 added (person1/new0.png, person1/new1.png, person1/new10.png, …)\n" in said


def test_removed_picture(world, update):
    (world / "people" / "person1" / "1.png").unlink()
    said, built = update()
    assert "1 removed (person1/1.png)\n" in said
    assert len(built) == 1


def test_replaced_picture(world, update):
    draw(world / "people" / "person1" / "1.png", (FACE, 5, 10, 40), seed=99)
    said, built = update()
    assert "1 replaced (person1/1.png)\n" in said
    assert len(built) == 1


def test_renamed_picture(world, update):
    person = world / "people" / "person1"
    (person / "1.png").rename(person / "eins.png")
    said, built = update()
    assert "1 renamed (person1/1.png -> person1/eins.png)\n" in said
    assert 1 <= len(built) <= 2


def test_removed_original_makes_its_copy_a_record(world, update):
    (world / "people" / "person0" / "1.png").unlink()
    update()


def test_new_person_changes_the_labels_of_the_following(world, update):
    for number in range(2):
        draw(world / "people" / "person0b" / f"{number}.png", (FACE, 30, 40, 48))
    update()


def exclude(path, *listed):
    lines = "".join(f"{verdict},{key},wrong\n" for verdict, key in listed)
    path.write_text(f"exclude,path,reason\n{lines}")
    return (path,)


def test_a_list_changes_the_shards_of_its_pictures(tmp_path, update):
    path = tmp_path / "list.csv"
    lists = exclude(path, ("yes", "person1/1.png"), ("no", "person1/2.png"))
    said, built = update(exclude=lists)
    assert "1 excluded (person1/1.png)\n" in said
    assert len(built) == 1
    shutil.rmtree(tmp_path / "fresh")
    exclude(path, ("no", "person1/1.png"))
    said, again = update(exclude=lists)
    assert "1 admitted (person1/1.png)\n" in said
    assert again == built


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_list_in_the_dataset_stays_there(world, overwrite):
    lists = exclude(world / "out" / "duplicates.csv", ("yes", "person1/1.png"))
    sheet = world / "out" / "label_issues" / "sheet-001.png"
    sheet.parent.mkdir()
    sheet.write_bytes(b"sheet")
    kept = {path: path.read_bytes() for path in (*lists, sheet)}
    config = config_for(world, world / "people", exclude=lists, overwrite=overwrite)
    assert build_dataset(config, make_detector).outcomes()["person1/1.png"] == "excluded"
    assert {path: path.read_bytes() for path in kept} == kept


def test_excluded_original_makes_its_copy_a_record(world, tmp_path, update):
    lists = exclude(tmp_path / "list.csv", ("yes", "person0/1.png"))
    _, built = update(exclude=lists)
    rows = {row.path: row for row in FaceDataset.open(world / "out").rows}
    assert rows["person2/copy.png"].outcome == "ok"
    assert len(built) <= 2


def test_what_the_manifest_says_of_the_source(world, tmp_path, update):
    (world / "people" / "readme.txt").write_text("no picture")
    said, built = update()
    assert ("built: none\n" in said, built) == (True, [])
    assert FaceDataset.open(world / "out").manifest["other_files"] == 1
    shutil.rmtree(tmp_path / "fresh")
    _, built = update(variant="drawn")
    assert built == []


@pytest.mark.parametrize("name", ["report.html", "recovered.png", "index.npy"])
def test_missing_file_is_made_again(world, update, name):
    (world / "out" / name).unlink()
    assert update()[1] == []


def test_manifest_without_a_checksum_is_made_again(world, update):
    path = world / "out" / "dataset.json"
    manifest = json.loads(path.read_text())
    del manifest["checksum"]
    path.write_text(json.dumps(manifest))
    assert update()[1] == []


def test_damaged_shard_is_built_again(world, update):
    path = sorted((world / "out").glob("shard-*"))[2]
    path.write_bytes(path.read_bytes()[:-1])
    said, built = update()
    assert f"{path.name} is missing or damaged" in said
    assert built == [2]


def test_damaged_rows_are_not_relied_upon(world, update):
    rows = world / "out" / "images.csv"
    rows.write_bytes(rows.read_bytes().replace(b"person1", b"person9"))
    (world / "people" / "person1" / "1.png").unlink()
    said, built = update()
    assert "images.csv is missing or damaged" in said
    assert len(built) == SHARDS


@pytest.mark.parametrize("same", [{}, {"shards": SHARDS}, {"smallest_face": 12}])
def test_nothing_changed(world, update, same):
    before = contents(world / "out")
    said, built = update(**same)
    assert "out is up to date with its pictures: nothing is to be built\n" in said
    assert (built, contents(world / "out")) == ([], before)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"quality": 90}, "built with --quality 95 (now 90): "),
        ({"fallback": True, "seed": 3}, "--fallback False (now True), --seed 0 (now 3): "),
        ({"shards": 5}, "--shards 4 (now 5): "),
        ({"detector_scale_factor": 0.8}, "--detector-scale-factor 0.709 (now 0.8): "),
        ({"max_roll": 10.0}, "--max-roll 180.0 (now 10.0): "),
    ],
)
def test_changed_options_are_named_and_refused(world, options, told):
    before = contents(world / "out")
    draw(world / "people" / "person1" / "new.png", (FACE, 30, 40, 48))
    config = config_for(world, world / "people", **options)
    with pytest.raises(InputError) as refused:
        build_dataset(config, make_detector)
    assert told in str(refused.value)
    assert "--overwrite" in str(refused.value)
    assert contents(world / "out") == before
    build_dataset(dataclasses.replace(config, overwrite=True), make_detector)


def test_changed_crop_and_detector_are_named(world, monkeypatch):
    config = config_for(world, world / "people")
    grey = dataclasses.replace(config.preprocessing, color="grey")
    with pytest.raises(InputError, match=r"--color rgb \(now grey\): "):
        build_dataset(dataclasses.replace(config, preprocessing=grey), make_detector)
    with pytest.raises(InputError, match=r"built with detector .* \(now .*of another kind"):
        build_dataset(config, make_other_detector)
    monkeypatch.setattr("tensorflow.__version__", "1.0")
    with pytest.raises(InputError, match=r"version of tensorflow 2.* \(now 1\.0\): "):
        build_dataset(config, make_detector)


class Source:
    """A row or an item."""

    def __init__(self, key, sha256):
        self.path, self.picture, self.sha256 = key, self, sha256
        self.key = key
        self.outcome, self.excluded = "ok", ""


def compare(before, now):
    return changed_pictures(
        [Source(*pair) for pair in before.items()], [Source(*pair) for pair in now.items()]
    )


def test_comparison_tells_renamed_from_removed_and_added():
    before = {"a": "1", "b": "2", "c": "3", "d": "3", "e": "", "f": "6"}
    now = {"a": "1", "b": "22", "x": "3", "y": "", "f": "6"}
    found = compare(before, now)
    assert found == Changes(
        added=["y"],
        removed=["d", "e"],
        replaced=["b"],
        renamed=["c -> x"],
        excluded=[],
        admitted=[],
    )
    assert str(found) == "1 added (y); 2 removed (d, e); 1 replaced (b); 1 renamed (c -> x)"
    assert str(compare(before, before)) == "none"


def test_changed_facts_are_told_leaf_by_leaf_and_briefly(world):
    manifest = read_manifest(world / "out")
    config = config_for(world, world / "people", shards=len(manifest["shards"]))
    asked = {"config": config.to_manifest()}
    known = {**manifest, **asked, "detector": {"name": "d", "engine": {"version": "1"}}}
    now = {"detector": {"name": "d", "engine": {"version": "2" * 500}}}
    (told,) = changed_options(known, config, now)
    assert told.startswith("detector engine version 1 (now 222")
    assert len(told) < 150
