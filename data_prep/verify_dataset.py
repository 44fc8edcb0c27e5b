"""Check a dataset directory against its hashes: ``python data_prep/verify_dataset.py --help``."""

from facenet_tf.commands.verify_dataset import entry

if __name__ == "__main__":
    entry()
