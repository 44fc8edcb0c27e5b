"""Variables of a TensorFlow checkpoint, of TensorFlow 1 as well, without a graph."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.pretrained.tensors import Tensor, Tensors


def read_checkpoint(path: Path) -> Tensors:
    """The variables below a checkpoint's prefix (`model-20180402-114759.ckpt-275`).

    Raises:
        InputError: it is damaged.
    """
    try:
        reader = tf.train.load_checkpoint(str(path))
        shapes = reader.get_variable_to_shape_map()
    except Exception as error:  # whatever the C++ reader makes of damaged bytes
        raise InputError(f"{path}: it cannot be read as a checkpoint ({error})") from error
    return Tensors(
        path,
        {
            name: Tensor(tuple(shape), partial(reader.get_tensor, name))
            for name, shape in sorted(shapes.items())
        },
    )


def checkpoint_prefix(path: Path) -> Path | None:
    """The prefix that a path means: itself, one of its files, or the only one of a directory.

    Raises:
        InputError: a directory of several.
    """
    if path.is_dir():
        found = sorted(path.glob("*.index"))
        if len(found) > 1:
            names = ", ".join(each.stem for each in found)
            raise InputError(f"{path}: it holds several checkpoints ({names}): name one of them")
        return found[0].with_suffix("") if found else None
    prefix = path.with_suffix("") if path.suffix in (".index", ".meta") else path
    if ".data-" in path.name:
        prefix = path.with_name(path.name.rpartition(".data-")[0])
    return prefix if Path(f"{prefix}.index").is_file() else None
