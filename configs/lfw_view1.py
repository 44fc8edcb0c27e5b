"""LFW View 1, the development protocol: train on peopleDevTrain, measure on pairsDevTest.

    python data_prep/build_tfrecords.py DIRECTORY --config configs/lfw_view1.py
    python train.py --config configs/lfw_view1.py
    python evaluate.py --config configs/lfw_view1.py --pairs pairsDevTest.txt

Most of these people have a single picture: the first stage takes them in as classes of their own,
batch-hard needs positives and leaves them out.

Expected: 40 minutes of training on 2 CPU cores with bfloat16 instructions (without these give
--precision float32), accuracy 0.917 on the 1,000 pairs at the validation people's threshold.
bfloat16 is the faster precision there; XLA for the loss alone and no XLA differ by less than the
turns of each (benchmarks/train_step.py).
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.descent import Descent

build = BuildConfig(
    source="lfw",
    name="lfw_view1",
    split="lfw_view1",
    validation_people=0.1,
    fallback=True,  # every picture of the test pairs counts
    duplicates="keep",
    preprocessing=Preprocessing(size=80),
)
train = TrainConfig(
    dataset=Path("data/lfw_view1"),
    output=Path("runs/lfw_view1"),
    dropout=0.2,
    steps_per_epoch=70,  # 128 crops a step: as many as there are training pictures
    warm_up=Stage(
        "cosface",
        epochs=12,
        identities_per_batch=64,
        images_per_identity=2,
        include_singletons=True,
        learning_rate=2e-3,
        warmup_epochs=1,
        margin=0.2,
        scale=24.0,
        augmentation=0.5,  # of its strengths: so short a stage has yet to learn
    ),
    main=Stage(
        "triplet",
        epochs=60,
        mining="batch_hard",
        identities_per_batch=42,
        images_per_identity=3,  # half of those with two pictures have no more
        learning_rate=1e-3,
        warmup_epochs=1,
        sampling=Sampling(hard=0.25),
    ),
    augmentation=Augmentation(rotation=10, scale=0.1, translation=0.06, cutout=0.3),
    descent=Descent(ema=0.998),
    precision="mixed_bfloat16",
)
evaluate = EvaluateConfig(
    run=Path("runs/lfw_view1"),
    dataset=Path("data/lfw_view1"),
    flip_average=True,
    protocol="lfw_view1",
)
