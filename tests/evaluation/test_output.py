import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation import output


def test_files_of_an_earlier_evaluation_go_and_others_stay(tmp_path):
    for name in ("evaluation.json", "svm.skops", "tsne.png", "notes.txt"):
        (tmp_path / name).write_text("old")
    with output.written_whole(tmp_path, ("svm.skops", "tsne.png")) as scratch:
        (scratch / "evaluation.json").write_text("new")
        assert (tmp_path / "evaluation.json").read_text() == "old"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "evaluation.json": "new",
        "notes.txt": "old",
    }


def test_failed_evaluation_leaves_the_earlier_one(tmp_path):
    (tmp_path / "evaluation.json").write_text("old")
    with pytest.raises(RuntimeError), output.written_whole(tmp_path) as scratch:
        (scratch / "evaluation.json").write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation.json"]
    assert (tmp_path / "evaluation.json").read_text() == "old"


def test_rest_of_a_killed_evaluation_is_no_part_of_the_next(tmp_path):
    (tmp_path / "there" / ".partial").mkdir(parents=True)
    (tmp_path / "there" / ".partial" / "roc.png").touch()
    with output.written_whole(tmp_path / "there"):
        pass
    assert not list((tmp_path / "there").iterdir())


def test_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--output"), output.written_whole(tmp_path / "file"):
        pass
