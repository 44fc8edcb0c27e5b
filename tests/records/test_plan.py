import dataclasses

import pytest

from facenet_tf.records.config import BuildConfig
from facenet_tf.records.plan import make_plan
from facenet_tf.records.source import open_source
from tests.records.fake_faces import draw_people


@pytest.fixture
def config(tmp_path):
    return BuildConfig(draw_people(tmp_path / "people", 5, 4), shards=4).resolved()


def plan(config, about=None):
    return make_plan(config, open_source(config), about or {})


def members(a_plan):
    return [[item.picture.key for item in task.items] for task in a_plan.tasks]


def test_every_picture_is_in_one_shard(config):
    shards = members(plan(config))
    assert len(shards) == 4
    assert sum(map(len, shards)) == 20
    assert len(set().union(*shards)) == 20
    assert all(shard == sorted(shard) for shard in shards)


def test_a_new_picture_changes_one_shard(config):
    before = members(plan(config))
    new = config.directory / "person2" / "new.png"
    new.write_bytes((config.directory / "person2" / "0.png").read_bytes() + b" ")
    after = members(plan(config))
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(changed) == 1
    assert set(changed[0][1]) - set(changed[0][0]) == {"person2/new.png"}


def test_duplicates_name_the_first(config):
    root = config.directory
    data = (root / "person1" / "1.png").read_bytes()
    (root / "person1" / "2.png").write_bytes(data)
    (root / "person3" / "0.png").write_bytes(data)
    items = {item.picture.key: item for task in plan(config).tasks for item in task.items}
    assert items["person1/1.png"].same_as == ""
    assert items["person1/2.png"].same_as == "person1/1.png"
    assert items["person3/0.png"].same_as == "person1/1.png, under another identity: person1"
    assert len({items[key].sha256 for key in items}) == 18


def test_fingerprint_follows_what_decides_the_result(config):
    known = plan(config).fingerprint
    assert plan(dataclasses.replace(config, workers=3)).fingerprint == known
    others = [
        plan(dataclasses.replace(config, quality=90)).fingerprint,
        plan(dataclasses.replace(config, seed=1)).fingerprint,
        plan(config, {"detector": "another"}).fingerprint,
    ]
    picture = config.directory / "person0" / "0.png"
    picture.write_bytes(picture.read_bytes() + b" ")
    others.append(plan(config).fingerprint)
    assert len({known, *others}) == 5
