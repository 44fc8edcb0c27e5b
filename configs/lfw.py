"""All of LFW as a test set: the ten folds of View 2, for models trained on other people.

    python data_prep/build_tfrecords.py DIRECTORY --config configs/lfw.py
    python evaluate.py RUN --config configs/lfw.py --pairs pairs.txt

The crops must be the model's: 80x80 here, as configs/pubfig83.py trains. People that the run saw
are left out of the pairs, and the figure is then named so.
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig

build = BuildConfig(
    source="lfw",
    name="lfw",
    split="lfw_view2",
    fallback=True,  # every picture of the 6,000 pairs counts
    duplicates="keep",
    preprocessing=Preprocessing(size=80),
)
evaluate = EvaluateConfig(
    run=Path("runs/pubfig83"), dataset=Path("data/lfw"), flip_average=True, protocol="lfw_view2"
)
