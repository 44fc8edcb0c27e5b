import sys

import pytest

from facenet_tf import storage
from facenet_tf.errors import InputError
from facenet_tf.storage import Store, is_url


@pytest.fixture
def store(request):
    pytest.importorskip("fsspec")
    return Store(f"memory://{request.node.name}/a/b")


def test_what_is_written_is_read_listed_and_removed(store, tmp_path):
    assert store.sizes() == {}
    store.write("x/one.bin", b"abcdef")
    (tmp_path / "two.bin").write_bytes(b"gh")
    store.upload(tmp_path / "two.bin", "two.bin")
    Store(f"{store.url}2").write("three.bin", b"of a folder whose name begins alike")
    assert store.sizes() == {"x/one.bin": 6, "two.bin": 2}
    assert store.read("x/one.bin") == b"abcdef"
    assert store.read("x/one.bin", 1, 3) == b"bc"
    store.download("x/one.bin", tmp_path / "one.bin")
    assert (tmp_path / "one.bin").read_bytes() == b"abcdef"
    store.write("two.bin", b"again")
    assert store.read("two.bin") == b"again"
    for _ in range(2):  # the second time it is not there
        store.remove("two.bin")
    assert store.sizes() == {"x/one.bin": 6}


def test_a_slash_at_the_end_means_nothing(store):
    store.write("one", b"1")
    assert Store(f"{store.url}/").read("one") == b"1"
    assert Store(f"{store.url}/").sizes() == {"one": 1}


def test_what_is_missing_is_an_os_error(store, tmp_path):
    with pytest.raises(OSError, match="nothing"):
        store.read("nothing")
    with pytest.raises(OSError, match="nothing"):
        store.download("nothing", tmp_path / "x")


@pytest.mark.parametrize("url", ["nonsense://a/b", "nonsense.x://a"])
def test_an_unknown_kind_of_store_is_said(url):
    pytest.importorskip("fsspec")
    with pytest.raises(InputError, match=f"{url} cannot be opened: "):
        Store(url).connect()


def test_without_fsspec_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    storage._connected.cache_clear()
    with pytest.raises(InputError, match=r"pip install 'facenet-tf\[remote\]'"):
        Store("memory://without").connect()


def test_urls_are_told_from_paths():
    assert is_url("s3://bucket/faces")
    assert is_url("memory://x")
    assert not is_url("data/mine")
    assert not is_url("/abs/s3:/bucket")
