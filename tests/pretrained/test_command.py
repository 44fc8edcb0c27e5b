"""python -m facenet_tf.pretrained."""

import keras
import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.pretrained import __main__ as command
from tests.pretrained.test_vgg_face import expected_of, pictures, small_vgg


def test_converts_and_tells_what_was_mapped(tmp_path, capsys):
    theirs = small_vgg()
    theirs.save(tmp_path / "vgg.h5")
    output = tmp_path / "models" / "vgg.keras"
    command.main([str(tmp_path / "vgg.h5"), "--output", str(output)])
    said = capsys.readouterr().out
    assert "bottleneck                   <- fc7/kernel" in said
    assert "left out    fc8/" in said
    assert "network     vgg_face" in said and "normalization vgg_face" in said
    assert [file.name for file in output.parent.iterdir()] == ["vgg.keras"]
    model = keras.saving.load_model(output, safe_mode=True)
    np.testing.assert_allclose(model(pictures()).numpy(), expected_of(theirs), atol=1e-4)
    assert models.preprocessing_of(model).normalization == "vgg_face"
    with pytest.raises(InputError, match="--overwrite"):
        command.main([str(tmp_path / "vgg.h5"), "--output", str(output)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere.pt"], r"nowhere\.pt: there is no such file; give dlib, a run directory"),
        (["tests"], "tests: there are no weights in this directory"),
        (["setup.cfg"], r"setup\.cfg: no importer reads files of this kind"),
        (["a", "--output", "a.h5"], r"--output a\.h5: give a name that ends in \.keras"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        command.main(options)
