"""AT&T faces (40 people × 10 portraits): the demonstration, from photographs to a measured model.

    python data_prep/build_tfrecords.py --config configs/att.py
    python train.py --config configs/att.py
    python evaluate.py --config configs/att.py

26 people to train on, 4 to validate, 10 unseen. The demonstration is what every command does when
it is run bare, so the recipe is the default of each config. `make demo` takes a few minutes on two
CPU cores; docs/results.md says what it reached.
"""

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.records.config import BuildConfig
from facenet_tf.training.config import TrainConfig

build = BuildConfig()
train = TrainConfig()
evaluate = EvaluateConfig()
