import hashlib

import pytest

from facenet_tf.pretrained import dlib_package, origin


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    file = tmp_path / dlib_package.WEIGHTS
    file.write_bytes(b"weights")
    monkeypatch.setattr(dlib_package, "package_file", lambda name: tmp_path / name)
    return file


@pytest.mark.parametrize(
    ("source", "name", "seen"),
    [
        ("lfw", "mine", "left out of the pretraining, says its author"),
        ("folder", "pubfig83_dlib", "likely seen in pretraining"),
        ("folder", "PubFig83", "likely seen in pretraining"),
        ("folder", "family", "not known; public figures are likely seen in pretraining"),
    ],
)
def test_whom_dlib_has_seen(source, name, seen):
    assert origin.described("dlib", source, name)["seen"] == seen


def test_file_and_hash():
    found = origin.described("dlib", "lfw", "lfw")
    assert found["source"] == "dlib"
    assert found["file"] == dlib_package.WEIGHTS
    assert found["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert "FaceScrub" in found["trained_on"]


def test_of_other_weights_nothing_is_known(package):
    found = origin.described(str(package), "lfw", "lfw")
    assert found["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert (found["trained_on"], found["seen"]) == ("unknown", "unknown")
    assert origin.described(str(package.parent), "lfw", "lfw")["sha256"] == ""
