"""PubFig83 with dlib's pretrained network, fine-tuned on 65 people and measured on ten others.

    python data_prep/build_tfrecords.py DIRECTORY --config configs/pubfig83_dlib.py
    python train.py --config configs/pubfig83_dlib.py
    python evaluate.py --config configs/pubfig83_dlib.py

The ten people are unseen by the fine-tuning, and likely seen in pretraining: those weights were
trained on such public figures. Needs the extra `pretrained`. The prototypes are new and learn at
the stage's rate, the network at a small part of it. All experiments with these weights:
benchmarks/fine_tuning.py.

Expected: 9 minutes of training on one CPU core with bfloat16 instructions (without these give
--precision float32); what it brings is in docs/results.md.
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.fine_tuning import FineTuning

build = BuildConfig(
    source="folder",
    name="pubfig83_dlib",
    test_people=10,
    validation_people=8,
    preprocessing=Preprocessing(alignment="dlib", size=150, normalization="dlib"),
)
train = TrainConfig(
    dataset=Path("data/pubfig83_dlib"),
    output=Path("runs/pubfig83_dlib"),
    model="dlib_resnet",
    steps_per_epoch=40,
    warm_up=Stage(
        "cosface",
        epochs=4,
        identities_per_batch=32,
        learning_rate=5e-3,
        warmup_epochs=1,
        margin=0.2,
        scale=24.0,
    ),
    main=Stage(
        "triplet",
        epochs=4,
        mining="batch_hard",
        identities_per_batch=32,
        learning_rate=1e-3,
    ),
    # A step of Adam is as long as the rate: 2e-5 at most for what is trained already.
    fine_tuning=FineTuning(init="dlib", layer_rates={"*": 4e-3}),
    precision="mixed_bfloat16",
)
evaluate = EvaluateConfig(
    run=Path("runs/pubfig83_dlib"), dataset=Path("data/pubfig83_dlib"), flip_average=True
)
