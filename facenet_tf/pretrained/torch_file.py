"""A state dict of PyTorch, read by PyTorch itself where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facenet_tf.errors import InputError
from facenet_tf.pretrained.tensors import Tensor, Tensors


def read_state(path: Path) -> Tensors:
    """The tensors of a state dict (`.pt`, `.pth`), loaded without running what it pickles.

    Raises:
        InputError: PyTorch is missing, or it is no state dict.
    """
    try:
        import torch
    except ImportError as error:
        raise InputError(
            f"{path}: PyTorch reads it and is not installed: pip install 'facenet-tf[torch]', or "
            "torch alone"
        ) from error
    try:
        # What is no tensor, number or container is refused by weights_only.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle and PyTorch each have errors of their own
        raise InputError(f"{path}: it cannot be read as a state dict ({error})") from error
    if not isinstance(state, dict) or not all(torch.is_tensor(each) for each in state.values()):
        raise InputError(f"{path}: it is no state dict: save one with model.state_dict()")
    return Tensors(path, {str(name): _tensor(value) for name, value in state.items()})


def _tensor(value: Any) -> Tensor:
    return Tensor(tuple(value.shape), value.detach().numpy)
