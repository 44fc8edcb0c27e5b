import pytest

from facenet_tf.errors import InputError
from facenet_tf.records.exclusions import COLUMNS, check_writable, read_exclusions, write_list


def line(path, exclude="yes", reason="because"):
    return {"exclude": exclude, "path": path, "reason": reason, "more": 1.5}


def test_is_read_as_it_was_written(tmp_path):
    odd = 'ann/a, "b"\r\nc.jpg'
    rows = [line(odd), line("bob/1.jpg", "no"), line("cy/1.jpg")]
    write_list(tmp_path / "new" / "list.csv", (*COLUMNS, "more"), rows)
    expected = {odd: "because", "cy/1.jpg": "because"}
    assert read_exclusions([tmp_path / "new" / "list.csv"]) == expected
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["list.csv"]


def test_as_a_spreadsheet_saves_it(tmp_path):
    text = "\ufeffreason,note,exclude,path\r\n,x, YES ,a/1.jpg\r\nwrong,y,No,a/2.jpg\r\n"
    (tmp_path / "list.csv").write_bytes(text.encode())
    assert read_exclusions([tmp_path / "list.csv"]) == {"a/1.jpg": "listed in list.csv"}


def test_any_yes_counts_and_the_first_reason(tmp_path):
    rows = [line("a", "no", "1"), line("a", "yes", "2"), line("b", "yes", "3")]
    write_list(tmp_path / "one.csv", (*COLUMNS, "more"), rows)
    write_list(tmp_path / "two.csv", (*COLUMNS, "more"), [line("b", "yes", "4")])
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    assert read_exclusions(paths) == {"a": "2", "b": "3"}
    assert read_exclusions([]) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "list.csv cannot be read"),
        (b"exclude,path\n", "no column 'reason'"),
        (b"", "no column 'exclude'"),
        (b"exclude,path,reason\nyes,a,b\nmaybe,a,b\n", "line 3: exclude is 'maybe'"),
        (b"exclude,path,reason\nyes,\xff,b\n", "cannot be read"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_exclusions([tmp_path / "list.csv"])


def test_a_list_that_may_be_reviewed_is_not_replaced(tmp_path):
    check_writable(tmp_path / "list.csv", overwrite=False)
    (tmp_path / "list.csv").touch()
    check_writable(tmp_path / "list.csv", overwrite=True)
    with pytest.raises(InputError, match="reviewed"):
        check_writable(tmp_path / "list.csv", overwrite=False)


def test_unwritable_place(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_list(tmp_path / "file" / "list.csv", COLUMNS, [])
