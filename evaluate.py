"""Measure a trained model on people it never saw: ``python evaluate.py --help``."""

from facenet_tf.commands.evaluate import entry

if __name__ == "__main__":
    entry()
