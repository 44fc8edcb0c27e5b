"""Train a face-embedding model on a dataset directory: ``python train.py --help``."""

from facenet_tf.commands.train import entry

if __name__ == "__main__":
    entry()
