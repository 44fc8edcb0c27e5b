import dataclasses
import json

import numpy as np
import pytest

from facenet_tf.datasets.template_lists import read_members
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.named_pictures import rows_of_named
from facenet_tf.evaluation.options.templates import TemplatesOptions
from facenet_tf.evaluation.protocols.templates import figures, tables

from ..made_up import measured_of, people_vectors


@pytest.fixture
def vectors():
    """Ten people, each with twelve pictures."""
    return people_vectors(10, 12, spread=1.2)


@pytest.fixture
def config(vectors, tmp_path):
    """Of each person three templates of four pictures, two of which are of one medium."""
    rows = [
        f"{key} {row // 4} {row // 2 if row % 4 < 2 else 1000 + row}"
        for row, key in enumerate(vectors.roster.keys)
    ]
    (tmp_path / "members.txt").write_text("\n".join(rows))
    pairs = [f"{a} {b} {int(a // 3 == b // 3)}" for a in range(30) for b in range(a)]
    (tmp_path / "pairs.txt").write_text("\n".join(pairs))
    qualities = [f"{key} 1 2 {0.1 + (row % 4 == 0)}" for row, key in enumerate(vectors.roster.keys)]
    (tmp_path / "quality.txt").write_text("\n".join(qualities))
    options = TemplatesOptions(
        (tmp_path / "members.txt",), tmp_path / "pairs.txt", tmp_path / "quality.txt"
    )
    return EvaluateConfig(fars=(0.5, 0.1, 1e-3), bootstrap=20, templates=options)


def found_of(vectors, config, **more):
    members = read_members(config.templates.members)
    known = {"members": members, "rows_of_members": rows_of_named(vectors.roster, members.keys)}
    return figures(vectors, measured_of(vectors, **known, **more), config)


def test_figures_are_those_of_templates_made_one_by_one(vectors, config):
    found = found_of(vectors, config)
    values = vectors.values.astype(float)
    means = []
    for first in range(0, 120, 4):
        video = values[first : first + 2].mean(axis=0)
        total = video + values[first + 2] + values[first + 3]
        means.append(total / np.linalg.norm(total))
    person = np.arange(30) // 3
    left, right = np.tril_indices(30, -1)
    distance = ((np.array(means)[left] - np.array(means)[right]) ** 2).sum(axis=1)
    genuine = person[left] == person[right]
    wins = distance[genuine][:, None] < distance[~genuine]
    assert found["media_average"]["auc"] == pytest.approx(wins.mean(), abs=1e-6)
    assert found["media_average"]["pairs"] == 435
    assert found["media_average"]["templates"] == 30
    assert set(found) == {"media_average", "quality_weighted"}
    assert found["quality_weighted"]["auc"] != found["media_average"]["auc"]
    assert "auc" in found["media_average"]["bootstrap"]
    json.dumps(found, allow_nan=False)


def test_tables_show_both_poolings(vectors, config):
    shown = tables({"templates": found_of(vectors, config)})
    assert [table.title for table in shown] == ["media average", "quality weighted"]
    assert not any(table.detail for table in shown)


def test_a_template_without_a_vector_is_an_error_in_every_pair(vectors, config):
    values = vectors.values.copy()
    values[:4] = np.nan
    found = found_of(dataclasses.replace(vectors, values=values), config)["media_average"]
    assert found["templates_without_vector"] == 1
    assert found["pairs_with_lost_picture"] == 29
    assert found["without_lost"]["pairs"] == 435 - 29


def test_lost_members_of_templates_are_counted_and_told(vectors, config):
    values = vectors.values.copy()
    values[[0, 1, 7]] = np.nan
    config.templates.members[0].write_text(
        config.templates.members[0].read_text() + f"\n{vectors.roster.keys[0]} 29 7777"
    )
    found = found_of(dataclasses.replace(vectors, values=values), config)
    for pooled in found.values():
        assert (pooled["pictures"], pooled["pictures_without_vector"]) == (120, 3)
        assert pooled["templates_without_vector"] == 0
    assert all("3 of 120 pictures" in table.note for table in tables({"templates": found}))


def test_intervals_are_over_the_subjects_of_the_lists(vectors, config, tmp_path):
    """Folders that are no people's, as IJB's `img` and `frames`, have no part in them."""
    roster = vectors.roster
    lines = [
        f"{row // 4},{roster.identities[row]},{key}" for row, key in enumerate(roster.keys.tolist())
    ]
    head = "TEMPLATE_ID,SUBJECT_ID,FILENAME"
    (tmp_path / "members.csv").write_text("\n".join([head, *lines]))
    members = (tmp_path / "members.csv",)
    config = dataclasses.replace(
        config, templates=TemplatesOptions(members, config.templates.pairs)
    )
    one_folder = dataclasses.replace(roster, identities=np.full(len(roster), "img"))
    found = found_of(dataclasses.replace(vectors, roster=one_folder), config)["media_average"]
    expected = found_of(vectors, config)["media_average"]["bootstrap"]
    assert found["bootstrap"] == expected
    assert expected["auc"][0] < expected["auc"][1]


def test_pairs_of_seen_people_are_left_out(vectors, config):
    found = found_of(vectors, config, seen=frozenset({"p3"}))["media_average"]
    assert found["pairs"] == 27 * 26 // 2
    assert found["pairs_of_seen_people_left_out"] == 435 - 27 * 26 // 2


@pytest.mark.parametrize("place", [0, 120])
def test_one_picture_of_a_seen_person_makes_a_template_seen(vectors, config, place):
    """Of p3 one picture stands in a template of p5, as the first or the last of it."""
    (members,) = config.templates.members
    lines = members.read_text().splitlines()
    lines.insert(place, f"{vectors.roster.keys[36]} 15 9999")
    members.write_text("\n".join(lines))
    found = found_of(vectors, config, seen=frozenset({"p3"}))["media_average"]
    assert found["pairs"] == 26 * 25 // 2
    assert found["pairs_of_seen_people_left_out"] == 435 - 26 * 25 // 2


def test_a_picture_that_is_not_there_is_named(vectors, config):
    config.templates.members[0].write_text("gone.jpg 0 0\n")
    with pytest.raises(InputError, match=r"1 of 1 pictures.*gone\.jpg"):
        found_of(vectors, config)


def test_pairs_of_one_kind_give_no_figures(vectors, config):
    config.templates.pairs.write_text("0 1 1\n")
    assert "not both" in found_of(vectors, config)["skipped"]


def test_nothing_without_being_asked(vectors):
    assert figures(vectors, measured_of(vectors), EvaluateConfig()) is None


def test_options_that_need_each_other(config):
    for options in (
        TemplatesOptions(members=config.templates.members),
        TemplatesOptions(pairs=config.templates.pairs),
        TemplatesOptions(quality=config.templates.quality),
    ):
        with pytest.raises(InputError, match="--templates"):
            options.check()
    config.templates.check()
