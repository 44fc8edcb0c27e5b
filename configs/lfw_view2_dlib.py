"""LFW View 2 with dlib's pretrained network: all 6,000 pairs, ten folds, nothing trained.

    pip install -e '.[pretrained]'
    python data_prep/build_tfrecords.py LFW --config configs/lfw_view2_dlib.py
    python evaluate.py --config configs/lfw_view2_dlib.py --pairs pairs.txt
    python evaluate.py --config configs/lfw_view2_dlib.py --pairs pairs.txt --no-flip-average \
        --output runs/lfw_view2_dlib_single
    python evaluate.py --config configs/lfw_view2_dlib.py --pairs pairs.txt --no-flip-average \
        --jitter 4 --output runs/lfw_view2_dlib_jitter

Faces are found by this project's MTCNN and cut to dlib's frame; no pair is left out. The people of
LFW are not among those that the network was trained on. The template and the strength of the jitter
were chosen without View 2.
"""

from pathlib import Path

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig

build = BuildConfig(
    source="lfw",
    name="lfw_dlib",
    split="lfw_view2",
    fallback=True,  # every picture of the 6,000 pairs counts
    duplicates="keep",
    preprocessing=Preprocessing("dlib", 150, normalization="dlib"),
)
evaluate = EvaluateConfig(
    weights="dlib",
    dataset=Path("data/lfw_dlib"),
    output=Path("runs/lfw_view2_dlib"),
    flip_average=True,
    protocol="lfw_view2",
    list_only=True,
    baselines=False,
    fars=(1e-1, 1e-2, 4e-3),
)
