import csv
import json

import numpy as np
import pytest

from facenet_tf.curation.cleaning import clean_labels, judged_records
from facenet_tf.curation.config import LabelsConfig
from facenet_tf.errors import InputError
from facenet_tf.records.exclusions import read_exclusions
from tests.curation.conftest import build, cloud, write

WRONG = {"p0/6.jpg": "p3", "p2/1.jpg": "p1"}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Four people, each a cloud under noise; of two pictures the folder is another's."""
    root = tmp_path_factory.mktemp("mixed")
    for person in range(4):
        for number in range(8):
            key = f"p{person}/{number}.jpg"
            shown = int(WRONG.get(key, f"p{person}")[1])
            noise = np.random.default_rng([person, number]).normal(0, 12, (96, 96, 3))
            write(root / key, np.clip(cloud(shown) + noise, 0, 255).astype(np.uint8))
    write(root / "rare" / "0.jpg", cloud(9))
    return build(root, tmp_path_factory.mktemp("built") / "mixed", test_people=2)


def thumbnails(crops):
    small = crops[:, ::4, ::4].reshape(len(crops), -1).astype(np.float32)
    small -= small.mean(axis=1, keepdims=True)
    return small / np.linalg.norm(small, axis=1, keepdims=True)


def test_writes_a_list_that_a_build_takes(mixed, tmp_path):
    pytest.importorskip("cleanlab")
    (tmp_path / "sheet-009.png").touch()  # of an earlier run
    config = LabelsConfig(output=tmp_path, min_pictures=5, folds=4)
    figures = clean_labels(mixed, thumbnails, config)
    with config.list.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["path"]: line["proposed"] for line in lines} == WRONG
    assert all(float(line["own_probability"]) < float(line["probability"]) for line in lines)
    assert read_exclusions([config.list]).keys() == WRONG.keys()
    assert json.loads((tmp_path / "summary.json").read_text()) == figures
    assert (figures["people"], figures["pictures"], figures["too_few_pictures"]) == (4, 32, 1)
    assert (figures["flagged"], figures["people_flagged"]) == (2, 2)
    assert [path.name for path in tmp_path.glob("*.png")] == figures["sheets"] == ["sheet-001.png"]


def test_whose_pictures_are_judged(mixed):
    assert len(judged_records(mixed, "all", 5)) == 32
    assert len(judged_records(mixed, "all", 1)) == 33
    with pytest.raises(InputError, match="--min-pictures"):
        judged_records(mixed, "all", 9)
    with pytest.raises(InputError, match="split unused"):
        judged_records(mixed, "unused", 1)
