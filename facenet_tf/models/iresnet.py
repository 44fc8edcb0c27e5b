"""The residual networks of ArcFace: Deng et al., ArcFace, 2019, section 3.2.

| name | blocks | parameters | multiply-adds |
|---|---|---|---|
| IR-18 | 2, 2, 2, 2 | 24,025,600 | 2.6 billion |
| IR-34 | 3, 4, 6, 3 | 34,139,328 | 4.5 billion |
| IR-50 | 3, 4, 14, 3 | 43,590,848 | 6.3 billion |
| IR-100 | 3, 13, 30, 3 | 65,156,160 | 12.1 billion |
| IR-SE-50 | 3, 4, 14, 3 | 43,820,120 | 6.3 billion |

From 112×112 crops to 512 dimensions. They are those of He et al., Deep Residual Learning, 2016, as
insightface has them: the first convolution keeps the size; a block is batch normalisation,
convolution, batch normalisation, PReLU, convolution with the stride, batch normalisation; and the
last map goes whole into a dense layer between two batch normalisations ("flatten" in `heads.pool`).
insightface counts the 512 scales of the last of these and holds them at 1; here they are trained.

AdaFace's IR-50 is another form, whose shortcuts pool where the number of channels stays (43,585,600
parameters). IR-SE-50 ends each block with squeeze and excitation, as insightface's option has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import keras
import tensorflow as tf

from facenet_tf.models.blocks import convolution, norm, prelu, squeeze_and_excite
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

FILTERS = (64, 128, 256, 512)
"""Of the four stages."""
REDUCTION = 16
"""By how much squeeze and excitation reduces the number of channels."""


def network(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    blocks: Sequence[int],
    attention: bool,
    head: Head = "flatten",
    dropout: float = 0.4,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        blocks: how many each of the four stages has.
        attention: whether squeeze and excitation ends each block.
        head: what becomes of the last map, as in `heads.pool`; the published one is "flatten".
        dropout: fraction of the features dropped before the bottleneck in training; 0.4 is the
            paper's, insightface's later code has none.

    Raises:
        ValueError: for an unknown head.
    """
    x = prelu(convolution(pixels, FILTERS[0], 3, "stem_conv"), "stem_conv")
    for stage, (count, filters) in enumerate(zip(blocks, FILTERS, strict=True), start=1):
        for number in range(1, count + 1):
            strides = 2 if number == 1 else 1
            x = _block(x, filters, strides, attention, f"stage{stage}_block{number}")
    x = pool(x, head)
    return bottleneck(x, embedding_size, dropout, normed=True)


def _block(x: tf.Tensor, filters: int, strides: int, attention: bool, name: str) -> tf.Tensor:
    y = convolution(norm(f"{name}_norm")(x), filters, 3, f"{name}_conv1")
    y = prelu(y, f"{name}_conv1")
    y = convolution(y, filters, 3, f"{name}_conv2", strides, padding="even")
    if attention:
        y = squeeze_and_excite(y, filters // REDUCTION, f"{name}_attention")
    if strides > 1:
        x = convolution(x, filters, 1, f"{name}_shortcut", strides)
    return keras.layers.Add(name=f"{name}_sum")([x, y])


_paper = partial(
    Published,
    "Deng et al., ArcFace, 2019, section 3.2; insightface's iresnet",
    2019,
    112,
    embedding_size=512,
)
_plain = partial(partial, network, attention=False)
_deep = (3, 4, 14, 3)

register("ir18", _paper(parameters=24_025_600))(_plain(blocks=(2, 2, 2, 2)))
register("ir34", _paper(parameters=34_139_328))(_plain(blocks=(3, 4, 6, 3)))
register("ir50", _paper(parameters=43_590_848))(_plain(blocks=_deep))
register("ir100", _paper(parameters=65_156_160, lfw=99.83))(_plain(blocks=(3, 13, 30, 3)))
register("ir_se50", _paper(parameters=43_820_120, verified=False))(
    partial(network, blocks=_deep, attention=True)
)
