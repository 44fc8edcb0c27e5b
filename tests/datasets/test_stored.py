import pytest

from facenet_tf.datasets import folder, stored
from facenet_tf.datasets.picture import MAX_BYTES
from facenet_tf.errors import InputError
from facenet_tf.storage import Store

FILES = {
    "ann/1.jpg": b"one",
    "ann/deep/2.PNG": b"two",
    "bob/no_suffix": b"\xff\xd8\xff and so on",
    "bob/notes.txt": b"no picture",
    "bob/.hidden.jpg": b"hidden",
    ".hidden/3.jpg": b"hidden",
    "stray.jpg": b"nobody's",
    "zoë/ü 1%.jpg": b"names",
}


@pytest.fixture
def store(request):
    pytest.importorskip("fsspec")
    store = Store(f"memory://{request.node.name}")
    for name, data in FILES.items():
        store.write(name, data)
    return store


@pytest.mark.parametrize("level", [0, -1])
def test_lists_what_a_folder_of_the_same_files_does(store, tmp_path, level):
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    local, remote = folder.list_pictures(tmp_path, level), stored.list_pictures(store, level)
    assert [(p.key, p.identity) for p in remote.pictures] == [
        (p.key, p.identity) for p in local.pictures
    ]
    assert len(local.pictures) == 4
    assert [p.read() for p in remote.pictures] == [p.read() for p in local.pictures]
    assert (remote.without_identity, remote.other_files) == (1, 1)
    assert (local.without_identity, local.other_files) == (1, 1)


def test_an_empty_place_is_refused(store):
    with pytest.raises(InputError, match="memory://nowhere holds no pictures"):
        stored.list_pictures(Store("memory://nowhere"))


@pytest.mark.parametrize("name", ["ann//1.jpg", "ann/./1.jpg"])
def test_names_that_no_folder_can_have_are_refused(store, monkeypatch, name):
    monkeypatch.setattr(Store, "sizes", lambda store: {"ann/1.jpg": 3, name: 3})
    with pytest.raises(InputError, match=f"holds '{name}': give it a name"):
        stored.list_pictures(store)


def test_a_picture_that_is_gone_or_too_large_is_an_os_error(store):
    picture = stored.list_pictures(store).pictures[0]
    store.remove(picture.key)
    with pytest.raises(OSError, match="ann/1"):
        picture.read()
    whole = stored.StoredPicture("a/b", "a", picture.path, store=store, size=MAX_BYTES + 1)
    with pytest.raises(OSError, match="larger than 512 MiB"):
        whole.read()
