"""List the near duplicates of a dataset: ``python data_prep/find_duplicates.py --help``."""

from facenet_tf.commands.find_duplicates import entry

if __name__ == "__main__":
    entry()
