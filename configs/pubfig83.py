"""PubFig83 (83 public figures, 13,838 crops of 100×100): unseen people, by SVM and by pairs.

    python data_prep/build_tfrecords.py DIRECTORY --config configs/pubfig83.py
    python train.py --config configs/pubfig83.py
    python evaluate.py --config configs/pubfig83.py

The first 73 people by name are trained on (8 of them validate), the last 10 are unseen. bfloat16
is the faster precision on a CPU with bfloat16 instructions; without these give --precision float32.
XLA for the loss alone and no XLA differ by less than the turns of each (benchmarks/train_step.py).

Expected: 32 minutes of training steps and 4 of validation on two such cores, SVM accuracy 0.96 on
the unseen people.
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig
from facenet_tf.training.config import Stage, TrainConfig

build = BuildConfig(
    source="folder",
    name="pubfig83",
    test_people=10,
    validation_people=8,
    preprocessing=Preprocessing(size=80),
)
train = TrainConfig(
    dataset=Path("data/pubfig83"),
    output=Path("runs/pubfig83"),
    dropout=0.2,
    steps_per_epoch=85,  # 128 crops a step: once through the training people
    warm_up=Stage(
        "cosface",
        epochs=28,
        identities_per_batch=32,
        learning_rate=2e-3,
        warmup_epochs=1,
        margin=0.2,
        scale=24.0,
    ),
    main=Stage(
        "triplet",
        epochs=14,
        mining="batch_hard",
        identities_per_batch=32,
        learning_rate=4e-4,
        warmup_epochs=0.5,
    ),
    augmentation=Augmentation(rotation=10, scale=0.1, translation=0.06, cutout=0.3),
    precision="mixed_bfloat16",
)
evaluate = EvaluateConfig(
    run=Path("runs/pubfig83"), dataset=Path("data/pubfig83"), flip_average=True
)
