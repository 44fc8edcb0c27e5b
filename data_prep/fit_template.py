"""Fit MTCNN's five points to dlib's chip of a face: ``python data_prep/fit_template.py --help``."""

from facenet_tf.commands.fit_template import entry

if __name__ == "__main__":
    entry()
