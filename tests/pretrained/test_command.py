"""python -m facenet_tf.pretrained."""

import keras
import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.pretrained import __main__ as command
from tests.pretrained.test_openface import TorchNetwork, write_folder


def test_converts_and_tells_what_was_mapped(tmp_path, capsys):
    network = TorchNetwork()
    pictures = np.random.RandomState(3).randint(0, 256, (1, 96, 96, 3)).astype(np.float32)
    expected = network.embeddings(pictures)
    write_folder(tmp_path / "weights", network.files)
    output = tmp_path / "models" / "openface.keras"
    command.main([str(tmp_path / "weights"), "--output", str(output)])
    said = capsys.readouterr().out
    assert "inception_5b_3x3_reduce      <- inception_5b_3x3_conv1_w" in said
    assert "network     openface_nn4_small2" in said and "size 96" in said
    assert [file.name for file in output.parent.iterdir()] == ["openface.keras"]
    model = keras.saving.load_model(output, safe_mode=True)
    np.testing.assert_allclose(model(pictures).numpy(), expected, atol=1e-4)
    assert models.preprocessing_of(model).normalization == "openface"
    with pytest.raises(InputError, match="--overwrite"):
        command.main([str(tmp_path / "weights"), "--output", str(output)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere.pt"], r"nowhere\.pt: there is no such file; give dlib, a run directory"),
        (["."], "there are no weights in this directory"),
        (["setup.cfg"], r"setup\.cfg: no importer reads files of this kind"),
        (["a", "--output", "a.h5"], r"--output a\.h5: give a name that ends in \.keras"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        command.main(options)
