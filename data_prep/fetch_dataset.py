"""Bring a dataset from a store into a directory: ``python data_prep/fetch_dataset.py --help``."""

from facenet_tf.commands.fetch_dataset import entry

if __name__ == "__main__":
    entry()
