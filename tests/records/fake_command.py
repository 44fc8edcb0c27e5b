"""The build command with a detector of `fake_faces`: ``python -m … DETECTOR ARGUMENTS``."""

import functools
import sys

from facenet_tf import cli
from facenet_tf.commands import build_tfrecords
from facenet_tf.records import builder
from tests.records import fake_faces

if __name__ == "__main__":
    detector = getattr(fake_faces, sys.argv.pop(1))
    builder.build_dataset = functools.partial(builder.build_dataset, make_detector=detector)
    cli.run(build_tfrecords.main)
