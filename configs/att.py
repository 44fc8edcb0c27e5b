"""AT&T faces (40 people × 10 portraits): the demonstration, from photographs to a measured model.

    python data_prep/build_tfrecords.py --config configs/att.py
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.records.config import BuildConfig

build = BuildConfig(source="att", test_people=10, validation_people=4)
evaluate = EvaluateConfig(run=Path("runs/att"), dataset=Path("data/att"))
