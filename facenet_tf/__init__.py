"""FaceNet-style face embedding for TensorFlow and Keras 3.

Importing the package loads nothing heavy: TensorFlow comes with the room that needs it
(``facenet_tf.models``, ``facenet_tf.losses``, ``facenet_tf.training`` …).
"""

__version__ = "0.1.0"
