"""Models that others exported: SavedModel, LiteRT, ONNX, as functions from crops to vectors."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.evaluation.inputs import Foreign, Kind
from facenet_tf.models import PixelNormalization
from facenet_tf.preprocessing import Preprocessing

Shape = tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class Network:
    """A model of some engine.

    Attributes:
        engine: name and version.
        shape: of its input, None for what it leaves open.
        dtype: of its input.
        run: a batch of inputs to a batch of outputs.
    """

    engine: str
    shape: Shape
    dtype: np.dtype
    run: Callable[[NDArray], NDArray]


def open_foreign(
    path: Path, kind: Kind, options: Foreign, preprocessing: Preprocessing
) -> tuple[Callable[[NDArray[np.uint8]], NDArray[np.float32]], str]:
    """A model as a function from uint8 [B, H, W, C] crops to float32 [B, D], and its engine.

    Args:
        path: of the model.
        kind: "saved_model", "litert" or "onnx".
        options: how its crops are made, checked.
        preprocessing: of the crops that it will get.

    Raises:
        InputError: the package that runs it is missing, it is damaged, it is no network from one
            batch of crops to one of vectors, or its crops are others.
    """
    try:
        network = _OPENERS[kind](path, options.output)
    except InputError:
        raise
    except Exception as error:  # of a file from outside there is no end of what may be wrong
        raise InputError(f"{path}: it cannot be opened ({_first_line(error)})") from error
    channels_last = _check_crops(path, network.shape, options, preprocessing)
    inside = options.normalization == "inside"
    normalize = None if inside else PixelNormalization({"normalization": options.normalization})
    batched = network.shape[0] is None

    def forward(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        values = images if normalize is None else normalize(images).numpy()
        ordered = values[..., ::-1] if options.channels == "bgr" else values
        placed = ordered if channels_last else ordered.transpose(0, 3, 1, 2)
        inputs = np.ascontiguousarray(placed).astype(network.dtype)
        batches = [inputs] if batched else [inputs[row : row + 1] for row in range(len(inputs))]
        try:
            return np.concatenate(
                [_rows(path, network.run(batch), len(batch)) for batch in batches]
            )
        except InputError:
            raise
        except Exception as error:  # each engine has errors of its own
            raise InputError(f"{path}: {network.engine} fails ({_first_line(error)})") from error

    return forward, network.engine


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _rows(path: Path, output: NDArray, count: int) -> NDArray[np.float32]:
    if output.shape[:1] != (count,) or sum(side > 1 for side in output.shape[1:]) > 1:
        raise InputError(
            f"{path}: of {count} crops it makes {list(output.shape)}, not a vector each: name its "
            "embedding with --foreign.output"
        )
    return output.reshape(count, -1).astype(np.float32)


def _check_crops(path: Path, shape: Shape, options: Foreign, preprocessing: Preprocessing) -> bool:
    """Whether the colours are the last side of the input, whose crops have to be the dataset's."""
    if len(shape) != 4 or not {shape[1], shape[3]} & {1, 3}:
        raise InputError(f"{path}: its input {_told(shape)} is no batch of pictures")
    channels_last = shape[3] in (1, 3)
    wanted = shape[1:] if channels_last else (*shape[2:], shape[1])
    given = preprocessing.shape
    if any(side not in (None, there) for side, there in zip(wanted, given, strict=True)):
        raise InputError(
            f"{path}: it takes crops of {_told(wanted)}, the dataset's are {_told(given)}: build "
            "the dataset with its --size, --width and --color"
        )
    if options.alignment != preprocessing.alignment:
        raise InputError(
            f"--foreign.alignment {options.alignment}: the dataset's crops are aligned by "
            f"{preprocessing.alignment}; build it with --alignment {options.alignment}"
        )
    return channels_last


def _told(shape: Sequence[int | None]) -> str:
    return "×".join("?" if side is None else str(side) for side in shape)


def _saved_model(path: Path, output: str | None) -> Network:
    loaded = tf.saved_model.load(str(path))
    signatures = loaded.signatures
    if not signatures:
        raise InputError(f"{path}: it has no signature: export it with one (serving_default)")
    name = "serving_default" if "serving_default" in signatures else sorted(signatures)[0]
    call = signatures[name]
    (argument, spec), *others = call.structured_input_signature[1].items()
    if others:
        raise InputError(f"{path}: its signature {name} has several inputs, not crops alone")
    chosen = _chosen(path, sorted(call.structured_outputs), output)

    def run(inputs: NDArray, holder: Any = loaded) -> NDArray:  # the variables live in `loaded`
        return call(**{argument: tf.constant(inputs)})[chosen].numpy()

    shape = tuple(spec.shape.as_list()) if spec.shape.rank is not None else ()
    return Network(f"TensorFlow {tf.__version__}", shape, spec.dtype.as_numpy_dtype, run)


def _litert(path: Path, output: str | None) -> Network:
    with warnings.catch_warnings():
        # TensorFlow announces that this class will move to the package ai-edge-litert.
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(model_path=str(path))
    entries = interpreter.get_input_details()
    if len(entries) != 1:
        raise InputError(f"{path}: it has {len(entries)} inputs, not crops alone")
    outputs = {detail["name"]: detail for detail in interpreter.get_output_details()}
    result = outputs[_chosen(path, sorted(outputs), output)]
    entry = entries[0]
    signature = [None if side < 0 else int(side) for side in entry["shape_signature"]]
    shapes: list[tuple[int, ...]] = []

    def run(inputs: NDArray) -> NDArray:
        if shapes != [inputs.shape]:
            interpreter.resize_tensor_input(entry["index"], inputs.shape)
            interpreter.allocate_tensors()
            shapes[:] = [inputs.shape]
        interpreter.set_tensor(entry["index"], _quantized(inputs, entry))
        interpreter.invoke()
        return _dequantized(interpreter.get_tensor(result["index"]), result)

    # One crop at a time: many networks are made for that alone, and LiteRT is as fast with it.
    shape = (1, *signature[1:])
    dtype = np.dtype(np.float32) if entry["quantization"][0] else np.dtype(entry["dtype"])
    return Network(f"LiteRT of TensorFlow {tf.__version__}", shape, dtype, run)


def _quantized(values: NDArray, entry: dict[str, Any]) -> NDArray:
    scale, zero = entry["quantization"]
    if not scale:
        return values
    limits = np.iinfo(entry["dtype"])
    return np.clip(np.rint(values / scale) + zero, limits.min, limits.max).astype(entry["dtype"])


def _dequantized(values: NDArray, result: dict[str, Any]) -> NDArray:
    scale, zero = result["quantization"]
    return (values.astype(np.float32) - zero) * scale if scale else values


def _onnx(path: Path, output: str | None) -> Network:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            f"{path}: onnxruntime runs it and is not installed: pip install 'facenet-tf[onnx]'"
        ) from error
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    entries = session.get_inputs()
    if len(entries) != 1:
        raise InputError(f"{path}: it has {len(entries)} inputs, not crops alone")
    known = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(float16)": np.float16}
    if entries[0].type not in known:
        raise InputError(f"{path}: its input is a {entries[0].type}; {', '.join(known)} are known")
    chosen = _chosen(path, [each.name for each in session.get_outputs()], output)
    shape = tuple(side if isinstance(side, int) else None for side in entries[0].shape)

    def run(inputs: NDArray) -> NDArray:
        return session.run([chosen], {entries[0].name: inputs})[0]

    dtype = np.dtype(known[entries[0].type])
    return Network(f"ONNX Runtime {onnxruntime.__version__}", shape, dtype, run)


def _chosen(path: Path, outputs: Sequence[str], wanted: str | None) -> str:
    if wanted is None and len(outputs) == 1:
        return outputs[0]
    if wanted not in outputs:
        raise InputError(f"{path}: give --foreign.output, one of {', '.join(outputs)}")
    return str(wanted)


_OPENERS: dict[Kind, Callable[[Path, str | None], Network]] = {
    "saved_model": _saved_model,
    "litert": _litert,
    "onnx": _onnx,
}
