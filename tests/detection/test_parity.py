"""Our cascade against the kept numbers of the package `mtcnn` 1.0.0."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import reference_faces
from benchmarks.reference_faces import Expected, checksum, mismatch, read_reference
from benchmarks.scenes import parity_scenes
from facenet_tf.detection import Face
from facenet_tf.detection.mtcnn import MtcnnDetector


@pytest.fixture(scope="module")
def reference():
    return {expected.name: expected for expected in read_reference()}


@pytest.fixture(scope="module")
def detector():
    return MtcnnDetector()


@pytest.mark.parametrize("name", parity_scenes())
def test_scenes_have_the_faces_of_the_package(detector, reference, name):
    picture = parity_scenes()[name]
    assert checksum(picture) == reference[name].checksum
    assert mismatch(reference[name], detector.detect([picture])[0]) is None


def test_the_scenes_have_no_one_and_many_faces(reference):
    counts = {len(reference[name].faces) for name in parity_scenes()}
    assert {0, 1}.issubset(counts) and max(counts) >= 5


def test_the_list_is_the_promised_one(reference):
    kinds = [name.split("/")[0] for name in reference]
    large = ("enlarged", "mosaic_6", "mosaic_12")
    assert kinds.count("lfw") == kinds.count("pubfig83") == 1000
    assert sum(kinds.count(kind) for kind in large) == 50


@pytest.mark.slow
def test_photographs_have_the_faces_of_the_package(detector, reference):
    root = os.environ.get("FACENET_TF_DATA")
    if not root or not Path(root, "lfw").is_dir():
        pytest.skip("FACENET_TF_DATA names no directory with lfw/ and pubfig83/")
    from benchmarks.reference_pictures import photograph, photograph_names

    names = photograph_names(Path(root))
    assert set(names) | set(parity_scenes()) == set(reference)
    for start in range(0, len(names), 16):
        batch = names[start : start + 16]
        pictures = [photograph(Path(root), name) for name in batch]
        for name, faces in zip(batch, detector.detect(pictures), strict=True):
            assert mismatch(reference[name], faces) is None


class TestMismatch:
    faces = np.array([[10.0, 20, 30, 40, *range(10), 0.9], [50, 20, 30, 40, *range(10), 0.9]])
    expected = Expected("it", 0, faces)

    def found(self, shift=0.0, order=(0, 1)):
        rows = [self.faces[number] + [*[shift] * 14, 0] for number in order]
        return [Face(tuple(row[:4]), row[14], row[4:14].reshape(5, 2)) for row in rows]

    def test_same_faces_in_any_order(self):
        assert mismatch(self.expected, self.found(0.049)) is None
        assert mismatch(self.expected, self.found(order=(1, 0))) is None

    def test_another_place(self):
        assert mismatch(self.expected, self.found(0.06)) == {"picture": "it", "difference": 0.06}

    def test_another_number(self):
        told = mismatch(self.expected, self.found(order=(0,)))
        assert told == {"picture": "it", "faces": {"expected": 2, "found": 1}}
        assert mismatch(Expected("none", 0, self.faces[:0]), []) is None

    def test_kept_as_numbers(self, tmp_path):
        nobody = Expected("nobody", 7, self.faces[:0])
        path = tmp_path / "reference.npz"
        reference_faces.write_reference(path, [self.expected, nobody, self.expected])
        first, second, third = read_reference(path)
        assert (second.name, second.checksum, len(second.faces)) == ("nobody", 7, 0)
        np.testing.assert_allclose(first.faces, self.faces)
        np.testing.assert_allclose(third.faces, self.faces)
