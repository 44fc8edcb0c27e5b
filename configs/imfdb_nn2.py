"""IMFDB (100 actors, 34,512 tight crops) with FaceNet's NN2: the experiment this project follows.

    python data_prep/build_tfrecords.py DIRECTORY --config configs/imfdb_nn2.py
    python train.py --config configs/imfdb_nn2.py
    python evaluate.py --config configs/imfdb_nn2.py

224x224 crops aligned by the eyes, batches of 100, Adam at 1e-4, batch-hard from random weights for
50 epochs, a default SVM on ten unseen people; keeping the best epoch by 8 validation people is this
project's addition. Expected time: not known, for a GPU. Expected result: the modelled experiment
published 82.52 %, with 68 % of the pictures lost to failed detection. Not run in full here, the
pictures are not freely available. On a CPU NN2 is as fast with XLA for the loss alone
as without, and slower with the whole step under it (benchmarks/train_step.py --models nn2:224); on
a GPU measure again.
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig
from facenet_tf.training.config import Stage, TrainConfig

build = BuildConfig(
    source="folder",  # actor/movie/images/*.jpg: the actor is the first folder
    name="imfdb",
    test_people=10,
    validation_people=8,
    preprocessing=Preprocessing(alignment="eyes", size=224),
)
train = TrainConfig(
    dataset=Path("data/imfdb"),
    output=Path("runs/imfdb_nn2"),
    model="nn2",
    steps_per_epoch=98,  # 9,850 training pictures in batches of 100
    warm_up=Stage("cosface", epochs=0),
    main=Stage(
        "triplet",
        epochs=50,
        mining="batch_hard",
        identities_per_batch=20,
        images_per_identity=5,
        learning_rate=1e-4,
        schedule="constant",
        warmup_epochs=0,
        margin=0.2,
        distance="squared",
    ),
    augmentation=Augmentation(enabled=False),
    optimizer="adam",
)
evaluate = EvaluateConfig(run=Path("runs/imfdb_nn2"), dataset=Path("data/imfdb"))
