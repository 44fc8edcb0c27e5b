"""Embedding models: functional Keras models from crops to unit vectors, by name."""

from facenet_tf.models import dlib_resnet as dlib_resnet
from facenet_tf.models import inception_resnet_v1 as inception_resnet_v1
from facenet_tf.models import mbf as mbf
from facenet_tf.models import mobile_facenet as mobile_facenet
from facenet_tf.models import nn2 as nn2
from facenet_tf.models import residual_small as residual_small
from facenet_tf.models.depthwise import DepthwiseConvolution
from facenet_tf.models.grouped import GroupedConvolution
from facenet_tf.models.layers import (
    ChannelAffine,
    FusedBatchNormalization,
    L2Pooling,
    PaddedSum,
    PixelNormalization,
    ScaledSum,
    UnitLength,
)
from facenet_tf.models.prelu import ChannelPReLU
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import build, names, preprocessing_of, published, register

__all__ = [
    "ChannelAffine",
    "ChannelPReLU",
    "DepthwiseConvolution",
    "FusedBatchNormalization",
    "GroupedConvolution",
    "L2Pooling",
    "PaddedSum",
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
