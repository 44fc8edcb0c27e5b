"""A picture in, faces out: boxes, confidence and five landmarks.

`facenet_tf.detection.mtcnn` holds the detector; it is imported by name, because it loads
TensorFlow.
"""

from facenet_tf.detection.face import Detector, Face
from facenet_tf.detection.selection import SelectionRule, SeveralFaces, select_face

__all__ = ["Detector", "Face", "SelectionRule", "SeveralFaces", "select_face"]
