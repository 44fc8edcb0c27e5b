"""List doubtful labels of a dataset: ``python data_prep/clean_labels.py --help``."""

from facenet_tf.commands.clean_labels import entry

if __name__ == "__main__":
    entry()
