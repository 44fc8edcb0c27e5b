import logging
import os

import pytest

from facenet_tf.datasets.folder import PICTURE_SUFFIXES
from facenet_tf.datasets.folder import list_pictures as list_folder
from facenet_tf.errors import InputError


def list_pictures(root, level=0):
    return list_folder(root, level).pictures


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


def test_pictures_too_high_in_the_tree_are_counted(tmp_path, caplog):
    make(tmp_path, "poster.jpg", "actor/1.jpg", "actor/movie/2.jpg")
    assert [p.key for p in list_pictures(tmp_path)] == ["actor/1.jpg", "actor/movie/2.jpg"]
    listing = list_folder(tmp_path, 1)
    assert [p.key for p in listing.pictures] == ["actor/movie/2.jpg"]
    assert listing.without_identity == 2
    assert "2 pictures" in caplog.records[-1].message
    assert caplog.records[-1].levelno == logging.WARNING


@pytest.mark.parametrize("kind", ["heic", "HEIF", "avif", "jxl"])
def test_pictures_of_newer_kinds_do_not_vanish(tmp_path, kind):
    assert f".{kind.lower()}" in PICTURE_SUFFIXES
    make(tmp_path, f"a/1.{kind}")
    assert len(list_pictures(tmp_path)) == 1


def test_files_whose_suffix_does_not_tell_are_judged_by_their_content(tmp_path):
    make(tmp_path, "a/README", "a/jpeg", "a/heic", "a/empty", "a/s1.glasses", "a/list.txt")
    (tmp_path / "a" / "s1.glasses").write_bytes(b"GIF89a and so on")
    (tmp_path / "a" / "jpeg").write_bytes(b"\xff\xd8\xff\xe0 and so on")
    (tmp_path / "a" / "heic").write_bytes(b"\0\0\0\x18ftypheic and so on")
    (tmp_path / "a" / "empty").write_bytes(b"")
    os.mkfifo(tmp_path / "a" / "pipe")
    listing = list_folder(tmp_path)
    assert [p.key for p in listing.pictures] == ["a/heic", "a/jpeg", "a/s1.glasses"]
    assert listing.other_files == 4  # README, empty, list.txt and the pipe


def test_what_is_no_file_is_listed_and_cannot_be_read(tmp_path):
    make(tmp_path, "a/1.jpg")
    os.mkfifo(tmp_path / "a" / "2.jpg")
    (tmp_path / "a" / "3.jpg").symlink_to("/dev/zero")
    (tmp_path / "a" / "4.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a" / "5.jpg").symlink_to("1.jpg")
    one, pipe, device, broken, link = list_pictures(tmp_path)
    assert one.read() == link.read() == b"x"
    for picture in (pipe, device):
        with pytest.raises(OSError, match="not a regular file"):
            picture.read()
    with pytest.raises(FileNotFoundError):
        broken.read()


def test_two_links_to_one_folder_are_both_followed(tmp_path):
    real = make(tmp_path / "real", "1.jpg")
    root = make(tmp_path / "root", "c/1.jpg")
    (root / "a").symlink_to(real)
    (root / "b").symlink_to(real)
    (real / "loop").symlink_to(real)
    assert [p.key for p in list_pictures(root)] == ["a/1.jpg", "b/1.jpg", "c/1.jpg"]


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
