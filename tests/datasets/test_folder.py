import os

import pytest

from facenet_tf.datasets.folder import list_pictures
from facenet_tf.errors import InputError


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def test_lists_pictures_sorted_by_key(tmp_path):
    make(tmp_path, "b/2.jpg", "b/1.PNG", "a/x.jpeg", "b/notes.txt", "b/.hidden.jpg", ".git/a/1.jpg")
    pictures = list_pictures(tmp_path)
    assert [(p.key, p.identity) for p in pictures] == [
        ("a/x.jpeg", "a"),
        ("b/1.PNG", "b"),
        ("b/2.jpg", "b"),
    ]
    assert all(p.read() == b"x" and not p.repaired for p in pictures)


@pytest.mark.parametrize(
    ("level", "identity"),
    [(0, "actor"), (1, "movie"), (-1, "images"), (-2, "movie"), (-3, "actor")],
)
def test_identity_level(tmp_path, level, identity):
    make(tmp_path, "actor/movie/images/1.jpg")
    (picture,) = list_pictures(tmp_path, level)
    assert (picture.key, picture.identity) == ("actor/movie/images/1.jpg", identity)


def test_pictures_too_high_in_the_tree_are_left_out(tmp_path):
    make(tmp_path, "poster.jpg", "actor/1.jpg", "actor/movie/2.jpg")
    assert [p.key for p in list_pictures(tmp_path)] == ["actor/1.jpg", "actor/movie/2.jpg"]
    assert [p.key for p in list_pictures(tmp_path, 1)] == ["actor/movie/2.jpg"]


def test_links_are_followed_once_around(tmp_path):
    real = make(tmp_path / "real", "1.jpg")
    root = make(tmp_path / "root", "b/1.jpg")
    (root / "a").symlink_to(real)
    (root / "b" / "loop").symlink_to(root)
    assert [p.key for p in list_pictures(root)] == ["a/1.jpg", "b/1.jpg"]


def test_names_that_are_not_utf8_become_text(tmp_path):
    folder = os.fsencode(tmp_path) + b"/M\xfcller"
    os.mkdir(folder)  # noqa: PTH102
    with open(folder + b"/1.jpg", "wb") as file:  # noqa: PTH123
        file.write(b"x")
    (picture,) = list_pictures(tmp_path)
    assert picture.identity == "M\\xfcller"
    assert picture.key.encode() == b"M\\xfcller/1.jpg"
    assert picture.read() == b"x"


class TestBadInput:
    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match=r"nowhere does not exist"):
            list_pictures(tmp_path / "nowhere")

    def test_file(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(InputError, match="is not a directory"):
            list_pictures(tmp_path / "file")

    def test_empty(self, tmp_path):
        with pytest.raises(InputError, match="holds no pictures"):
            list_pictures(tmp_path)

    def test_flat(self, tmp_path):
        make(tmp_path, "1.jpg", "2.jpg")
        with pytest.raises(InputError, match="2 pictures, but none inside a person's folder"):
            list_pictures(tmp_path)
