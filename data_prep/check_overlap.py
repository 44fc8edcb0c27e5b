"""List what two datasets share: ``python data_prep/check_overlap.py --help``."""

from facenet_tf.commands.check_overlap import entry

if __name__ == "__main__":
    entry()
