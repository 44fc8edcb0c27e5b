"""Embedding models: functional Keras models from crops to unit vectors, by name."""

from facenet_tf.models import inception_resnet_v1 as inception_resnet_v1
from facenet_tf.models import mobile_facenet as mobile_facenet
from facenet_tf.models import nn2 as nn2
from facenet_tf.models import residual_small as residual_small
from facenet_tf.models.depthwise import DepthwiseConvolution
from facenet_tf.models.layers import (
    FusedBatchNormalization,
    L2Pooling,
    PixelNormalization,
    ScaledSum,
    UnitLength,
)
from facenet_tf.models.prelu import ChannelPReLU
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import build, names, preprocessing_of, published, register

__all__ = [
    "ChannelPReLU",
    "DepthwiseConvolution",
    "FusedBatchNormalization",
    "L2Pooling",
    "PixelNormalization",
    "Published",
    "ScaledSum",
    "UnitLength",
    "build",
    "names",
    "preprocessing_of",
    "published",
    "register",
]
