"""LFW View 1 with dlib's pretrained network, fine-tuned on peopleDevTrain.

    python data_prep/build_tfrecords.py DIRECTORY --config configs/lfw_view1_dlib.py
    python train.py --config configs/lfw_view1_dlib.py
    python evaluate.py --config configs/lfw_view1_dlib.py --pairs pairsDevTest.txt

Nobody of pairsDevTest is in peopleDevTrain, and none of LFW's people were in the pretraining, says
its author. Needs the extra `pretrained`. All experiments with these weights:
benchmarks/fine_tuning.py.

Expected: 5 minutes of training on one CPU core with bfloat16 instructions (without these give
--precision float32); what it brings is in docs/results.md.
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.fine_tuning import FineTuning

build = BuildConfig(
    source="lfw",
    name="lfw_view1_dlib",
    split="lfw_view1",
    validation_people=0.1,
    fallback=True,  # every picture of the test pairs counts
    duplicates="keep",
    preprocessing=Preprocessing(alignment="dlib", size=150, normalization="dlib"),
)
train = TrainConfig(
    dataset=Path("data/lfw_view1_dlib"),
    output=Path("runs/lfw_view1_dlib"),
    model="dlib_resnet",
    steps_per_epoch=40,
    # A margin softmax over thousands of people with one picture each collapses these embeddings
    # within an epoch: the validation people's AUC falls from 0.9997 to 0.944.
    warm_up=Stage("cosface", epochs=0),
    main=Stage(
        "triplet",
        epochs=4,
        mining="batch_hard",
        margin=0.1,  # the hinge leaves alone what is told apart; the soft margin would not
        identities_per_batch=42,
        images_per_identity=3,  # half of those with two pictures have no more
        learning_rate=3e-3,
        warmup_epochs=1,
    ),
    # A step of Adam is as long as the rate: 2e-5 at most for what is trained already.
    fine_tuning=FineTuning(init="dlib", layer_rates={"*": 4e-3}),
    precision="mixed_bfloat16",
)
evaluate = EvaluateConfig(
    run=Path("runs/lfw_view1_dlib"),
    dataset=Path("data/lfw_view1_dlib"),
    flip_average=True,
    protocol="lfw_view1",
)
