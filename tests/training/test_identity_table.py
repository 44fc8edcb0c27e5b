"""The table of errors by person: its rows, its order, and whose model it is of."""

import csv
import io

import pytest

from facenet_tf.metrics import IdentityErrors
from facenet_tf.training.identity_table import IdentityTable, as_csv, as_markdown
from facenet_tf.training.keeper import RunState

ANN = IdentityErrors(0, 9, 1, 2, 1, 36, 30)
BOB = IdentityErrors(1, 4, 0, None, 0, 6, 2)
CAT = IdentityErrors(2, 8, 5, 0, 3, 28, 4)
DAN = IdentityErrors(3, 4, 0, None, 0, 6, 3)


class People:
    """Stands in for measured validation people."""

    class dataset:
        class_names = ["Ann, the 1st", "Bob|by", "Cat", "Dan"]

    errors = [ANN, BOB, CAT, DAN]
    threshold = 0.9137642


def test_csv_has_a_line_per_person_the_worst_first():
    rows = list(csv.DictReader(io.StringIO(as_csv(People, epoch=7))))
    assert [row["identity"] for row in rows] == ["Cat", "Ann, the 1st", "Dan", "Bob|by"]
    assert {(row["far"], row["threshold"], row["epoch"]) for row in rows} == {
        ("0.01", "0.913764", "7")
    }
    worst = rows[0]
    assert worst["confused_with"] == "Ann, the 1st"
    assert rows[2]["confused_with"] == ""
    numbers = ("images", "rank1_errors", "confused_images", "genuine_pairs", "rejected_pairs")
    assert [int(worst[name]) for name in numbers] == [8, 5, 3, 28, 4]


def test_markdown_is_a_table_whatever_the_names():
    lines = as_markdown(People).splitlines()
    assert "0.9138 (FAR 0.01)" in lines[0]
    table = [line.replace(r"\|", "").count("|") for line in lines[2:]]
    assert len(table) == 2 + 4
    assert set(table) == {8}
    assert r"Bob\|by" in lines[-1]


@pytest.mark.parametrize(("count", "shown"), [(50, 50), (51, 50)])
def test_markdown_shows_the_worst_fifty(count, shown):
    class Many(People):
        class dataset:
            class_names = [f"person {number}" for number in range(count)]

        errors = [IdentityErrors(n, 60, n, 0, n, 6, 0) for n in range(count)]

    lines = as_markdown(Many).splitlines()
    assert len(lines) == 4 + shown
    assert lines[0].startswith(f"{count} people")
    assert lines[4].startswith(f"| person {count - 1} |")


def test_the_table_stays_at_the_best_epoch():
    state = RunState()
    table = IdentityTable(state, People)
    for epoch, state.since_best in enumerate([0, 0, 1, 2]):
        table.on_epoch_end(epoch)
    assert state.identity_errors == as_csv(People, epoch=2)
