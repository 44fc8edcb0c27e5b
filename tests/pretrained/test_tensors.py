import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.pretrained.tensors import Tensor, Tensors


def tensors(**arrays) -> Tensors:
    return Tensors(
        "file", {name: Tensor(np.shape(a), lambda a=a: np.asarray(a)) for name, a in arrays.items()}
    )


def test_arrays_are_taken_by_name_and_shape_and_the_rest_is_told():
    file = tensors(kernel=np.ones((2, 3), np.float16), logits=np.ones(3), step=np.int64(3))
    taken = file.take("kernel", (2, 3))
    assert taken.dtype == np.float32 and (taken == 1).all()
    assert file.left_out(["log*", "step"]) == ["logits", "step"]
    with pytest.raises(InputError, match="file: logits belong to no layer"):
        file.left_out(["step"])


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("lost", (3,), "file: it has no lost"),
        ("kernel", (3, 2), r"kernel is \[2, 3\], not \[3, 2\]"),
        ("nan", (2,), "nan has values that are not finite"),
        ("whole", (2,), "whole is int64"),
    ],
)
def test_what_does_not_fit_is_refused(name, shape, message):
    file = tensors(kernel=np.ones((2, 3)), nan=np.array([1.0, np.nan]), whole=np.array([1, 2]))
    with pytest.raises(InputError, match=message):
        file.take(name, shape)


def test_a_shape_that_lies_and_data_that_cannot_be_read_are_refused():
    def fail():
        raise OSError("gone")

    file = Tensors("file", {"a": Tensor((2,), lambda: np.ones(3)), "b": Tensor((2,), fail)})
    with pytest.raises(InputError, match=r"a is float64 \[3\]: damaged"):
        file.take("a")
    with pytest.raises(InputError, match=r"b cannot be read .*gone"):
        file.take("b")
