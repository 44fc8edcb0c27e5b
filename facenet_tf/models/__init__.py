"""Embedding models: functional Keras models from crops to unit vectors, by name."""

from facenet_tf.models import deepface as deepface
from facenet_tf.models import dlib_resnet as dlib_resnet
from facenet_tf.models import facenet as facenet
from facenet_tf.models import ghostfacenet as ghostfacenet
from facenet_tf.models import inception_resnet as inception_resnet
from facenet_tf.models import iresnet as iresnet
from facenet_tf.models import mbf as mbf
from facenet_tf.models import mobile_facenet as mobile_facenet
from facenet_tf.models import nn1 as nn1
from facenet_tf.models import openface as openface
from facenet_tf.models import residual_small as residual_small
from facenet_tf.models import sphereface as sphereface
from facenet_tf.models import vgg_face as vgg_face
from facenet_tf.models.cost import multiply_adds
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
from facenet_tf.models.local_response import LocalResponseNormalization
from facenet_tf.models.locally_connected import LocallyConnected
from facenet_tf.models.nn1 import Maxout
from facenet_tf.models.prelu import ChannelPReLU
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import (
    build,
    embedding_size_of,
    name_of,
    names,
    options_of,
    preprocessing_of,
    published,
    register,
)

__all__ = [
    "ChannelAffine",
    "ChannelPReLU",
    "DepthwiseConvolution",
    "FusedBatchNormalization",
    "GroupedConvolution",
    "L2Pooling",
    "LocalResponseNormalization",
    "LocallyConnected",
    "Maxout",
    "PaddedSum",
    "PixelNormalization",
    "Published",
    "ScaledSum",
    "UnitLength",
    "build",
    "embedding_size_of",
    "multiply_adds",
    "name_of",
    "names",
    "options_of",
    "preprocessing_of",
    "published",
    "register",
]
