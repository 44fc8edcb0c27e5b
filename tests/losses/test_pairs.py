"""Who is compared with whom, in `compare` itself and in what the losses make of it."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import losses, mean_loss
from facenet_tf.losses.pairs import compare

from .contract import LABELS, ROWS
from .twins import TWINS

SOURCES = np.arange(len(LABELS))
for _one, _other in ((0, 5), (2, 3), (4, 12), (1, 9)):  # the last two are of two labels
    SOURCES[_other] = SOURCES[_one]
WITH_TWIN = [
    loss
    for loss in losses()
    if "sources" in loss.tensors
    and "sources" in inspect.signature(TWINS[loss.title].function).parameters
]


@pytest.mark.parametrize("loss", WITH_TWIN, ids=lambda loss: loss.title)
def test_rows_of_one_label_and_one_source_are_not_compared(loss):
    twin = TWINS[loss.title]
    tensors = [tf.constant(each) for each in (np.float32(ROWS), LABELS)]
    found = mean_loss(loss.function(*tensors, sources=tf.constant(SOURCES), **twin.variants[0]))
    expected = twin.function(ROWS, LABELS, sources=SOURCES, **twin.variants[0])
    assert float(found) == pytest.approx(expected, rel=1e-4)
    without = twin.function(ROWS, LABELS, **twin.variants[0])
    assert abs(without - expected) > 1e-4, "the sources made no difference"


def test_masks():
    labels, sources = np.array([7, 7, 8, 7]), np.array([1, 1, 1, 2])
    pairs = compare(tf.eye(4), tf.constant(labels), tf.constant(sources))
    positive = [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]]
    np.testing.assert_array_equal(pairs.positive, np.array(positive, bool))
    np.testing.assert_array_equal(pairs.negative, labels[:, None] != labels)
