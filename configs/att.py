"""AT&T faces (40 people × 10 portraits): the demonstration, from photographs to a measured model.

    python data_prep/build_tfrecords.py --config configs/att.py
    python train.py --config configs/att.py
    python evaluate.py --config configs/att.py

26 people to train on, 4 to validate, 10 unseen. The demonstration is what every command does when
it is run bare, so the recipe is the default of each config.

Expected: 5 minutes of training and 1 for the rest on 2 CPU cores, SVM accuracy 1.0 on 20 pictures;
docs/results.md has the figures. float32 with XLA for the loss alone suits any CPU
(benchmarks/train_step.py).
"""

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.records.config import BuildConfig
from facenet_tf.training.config import TrainConfig

build = BuildConfig()
train = TrainConfig()
evaluate = EvaluateConfig()
