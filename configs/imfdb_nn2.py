"""IMFDB (100 actors, 34,512 tight crops) with FaceNet's NN2 and crops aligned by the eyes.

    python data_prep/build_tfrecords.py DIRECTORY --config configs/imfdb_nn2.py
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig

build = BuildConfig(
    source="folder",  # actor/movie/images/*.jpg: the actor is the first folder
    name="imfdb",
    test_people=10,
    validation_people=8,
    preprocessing=Preprocessing(alignment="eyes", size=224),
)
evaluate = EvaluateConfig(run=Path("runs/imfdb_nn2"), dataset=Path("data/imfdb"))
