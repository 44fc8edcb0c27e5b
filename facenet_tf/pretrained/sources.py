"""Which importer reads a source: by its kind of file, and by what the file names its weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from facenet_tf.errors import InputError
from facenet_tf.pretrained import inception_resnet
from facenet_tf.pretrained.checkpoint_file import checkpoint_prefix, read_checkpoint
from facenet_tf.pretrained.imported import Imported
from facenet_tf.pretrained.keras_file import read_h5
from facenet_tf.pretrained.saved import MODEL, load_saved
from facenet_tf.pretrained.torch_file import read_state

_KINDS = (
    "a run directory, a .keras of this package, a checkpoint of TensorFlow, an .h5 of Keras, a "
    ".pt of PyTorch"
)


def read(source: str | Path) -> Imported:
    """The model of a source, and what of its file is where in it.

    Args:
        source: as `facenet_tf.pretrained.load` takes it.

    Raises:
        InputError: see there.
    """
    path = Path(source)
    prefix = checkpoint_prefix(path)
    if prefix is not None:
        return _from_checkpoint(prefix)
    if not path.exists():
        raise InputError(f"{source}: there is no such file; give {_KINDS}")
    if path.is_dir():
        if (path / MODEL).is_file():
            return _from_saved(path)
        raise InputError(f"{path}: there are no weights in this directory; give {_KINDS}")
    if path.suffix not in _READERS:
        raise InputError(f"{path}: no importer reads files of this kind; give {_KINDS}")
    return _READERS[path.suffix](path)


def _from_saved(path: Path) -> Imported:
    return Imported(load_saved(path), "a model of this package")


def _from_checkpoint(prefix: Path) -> Imported:
    form = "davidsandberg's Inception-ResNet-v1, checkpoint of TensorFlow 1"
    return inception_resnet.read(read_checkpoint(prefix), inception_resnet.SLIM, form)


def _from_h5(path: Path) -> Imported:
    tensors, layers = read_h5(path)
    form = "davidsandberg's Inception-ResNet-v1, .h5 of Keras"
    imported = inception_resnet.read(tensors, inception_resnet.KERAS, form)
    inception_resnet.check_description(path, layers, imported.model)
    return imported


def _from_torch(path: Path) -> Imported:
    form = "facenet-pytorch's Inception-ResNet-v1, state dict of PyTorch"
    return inception_resnet.read(read_state(path), inception_resnet.TORCH, form, "fixed")


_READERS: dict[str, Callable[[Path], Imported]] = {
    ".keras": _from_saved,
    ".h5": _from_h5,
    ".hdf5": _from_h5,
    ".pt": _from_torch,
    ".pth": _from_torch,
}
