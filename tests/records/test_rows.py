import pytest

from facenet_tf.records.rows import Row, evenly, numbers, read_rows, write_rows


def test_round_trip(tmp_path):
    rows = [
        Row(
            'a,"b"\n/1.jpg', "Zoë", 3, "train", "ff", "ok", shard=1, offset=0, length=9, rmse="1.5"
        ),
        Row("a/2.jpg", "", 0, "test", "", "unreadable", "Permission denied"),
    ]
    write_rows(tmp_path / "images.csv", rows)
    assert read_rows(tmp_path / "images.csv") == rows
    assert [row.stored for row in rows] == [True, False]


@pytest.mark.parametrize("name", ["\r", "\n", "\r\n", '"', ",", 'a\rb,\n"c"', "'", " ", "3"])
def test_round_trip_of_odd_names(tmp_path, name):
    rows = [Row(f"{name}/1.jpg", name, 0, "train", "ff", "ok", name, shard=0)] * 2
    write_rows(tmp_path / "images.csv", rows)
    assert read_rows(tmp_path / "images.csv") == rows


def test_other_columns_are_refused(tmp_path):
    (tmp_path / "images.csv").write_text("path,identity\na,b\n")
    with pytest.raises(ValueError, match="other columns"):
        read_rows(tmp_path / "images.csv")


def test_a_quote_that_is_never_closed_is_refused(tmp_path):
    path = tmp_path / "images.csv"
    write_rows(path, [Row(f"a/{n}.jpg", "a", 0, "train", "ff", "ok") for n in range(2000)])
    path.write_bytes(path.read_bytes().replace(b'"a/3.jpg"', b'"a/3.jpg ', 1))
    with pytest.raises(ValueError):
        read_rows(path)


def test_files_from_before_quality_was_measured(tmp_path):
    younger = {"face_size", "sharpness", "exposure", "yaw", "roll"}
    row = Row("a/1.jpg", "a", 0, "train", "ff", "ok", rmse="1.5", shard=2)
    cells = {name: str(value) for name, value in vars(row).items() if name not in younger}
    text = "\n".join((",".join(cells), ",".join(cells.values())))
    (tmp_path / "images.csv").write_text(text)
    assert read_rows(tmp_path / "images.csv") == [row]


@pytest.mark.parametrize(
    ("count", "expected"), [(3, [0, 4, 9]), (10, [*range(10)]), (99, [*range(10)])]
)
def test_evenly(count, expected):
    assert evenly([*range(10)], count) == expected
    assert evenly([], count) == []


def test_numbers():
    assert numbers([1, -2.34567, 0.0004]) == "1.000 -2.346 0.000"
