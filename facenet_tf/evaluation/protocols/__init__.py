"""The protocols, one file each; `facenet_tf.evaluation.registry` has the list of them."""
