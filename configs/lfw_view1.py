"""LFW View 1, the development protocol: train on peopleDevTrain, measure on pairsDevTest.

    python data_prep/build_tfrecords.py DIRECTORY --config configs/lfw_view1.py
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.records.config import BuildConfig

build = BuildConfig(
    source="lfw",
    name="lfw_view1",
    split="lfw_view1",
    validation_people=0.1,
    fallback=True,  # every picture of the test pairs counts
    duplicates="keep",
)
evaluate = EvaluateConfig(
    run=Path("runs/lfw_view1"),
    dataset=Path("data/lfw_view1"),
    protocol="lfw_view1",  # --pairs pairsDevTest.txt
)
