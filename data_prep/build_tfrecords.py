"""Build a dataset directory from photographs: ``python data_prep/build_tfrecords.py --help``."""

from facenet_tf.commands.build_tfrecords import entry

if __name__ == "__main__":
    entry()
