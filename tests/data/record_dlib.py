"""Writes dlib_embeddings.json: what dlib's own code makes of generated pictures.

    python -m tests.data.record_dlib

Needs the extra `dlib`.
"""

import json
from pathlib import Path

import dlib

from facenet_tf.pretrained.dlib_package import WEIGHTS, package_file
from tests.pretrained.test_dlib_weights import RECORDED, pictures


def main():
    network = dlib.face_recognition_model_v1(str(package_file(WEIGHTS)))
    embeddings = [list(network.compute_face_descriptor(image)) for image in pictures()]
    record = {"made_by": f"dlib-bin {dlib.__version__}, {Path(__file__).name}"}
    record["embeddings"] = [[round(value, 8) for value in row] for row in embeddings]
    RECORDED.write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
