"""Which kind a path is, and what models of others have to be told."""

import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.inputs import Foreign, kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.keras", "keras"),
        ("a.tflite", "litert"),
        ("a.onnx", "onnx"),
        ("a.npz", "vectors"),
        ("a.csv", "vectors"),
        ("a.h5", "weights"),
        ("run/model.keras", "run"),
        ("run/saved_model.pb", "saved_model"),
    ],
)
def test_kinds_are_told_by_name_or_content(tmp_path, name, kind):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    assert kind_of(tmp_path / name.partition("/")[0]) == kind


def test_dlib_is_no_path():
    assert kind_of("dlib") == "weights"


def test_missing_things_are_named(tmp_path):
    with pytest.raises(InputError, match=r"runs.mine.model\.keras is missing: name a run"):
        kind_of(tmp_path / "runs" / "mine")
    with pytest.raises(InputError, match=r"model\.keras is missing"):
        kind_of(tmp_path)
    with pytest.raises(InputError, match=r"gone\.onnx: there is no such file"):
        kind_of(tmp_path / "gone.onnx")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="nothing here reads such a file"):
        kind_of(tmp_path / "notes.txt")


def test_crops_of_others_have_to_be_told(tmp_path):
    with pytest.raises(InputError, match=r"m\.onnx does not say .*--foreign\.normalization"):
        Foreign().check(tmp_path / "m.onnx")
    with pytest.raises(InputError, match=r"--foreign\.alignment \(five_points, eyes, dlib\)"):
        Foreign(normalization="inside").check(tmp_path / "m.onnx")
    Foreign(normalization="inside", alignment="eyes").check(tmp_path / "m.onnx")
