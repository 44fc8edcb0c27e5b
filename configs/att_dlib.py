"""The demonstration with dlib's pretrained network beside the one that it trains from scratch.

    python data_prep/build_tfrecords.py --config configs/att_dlib.py
    python evaluate.py --config configs/att_dlib.py

The same 400 portraits once more, in crops of dlib's own frame, and both networks in one report,
with what their differences prove. Run configs/att.py first; needs the extra `pretrained`. A minute
on 2 CPU cores.
"""

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig

build = BuildConfig(
    name="att_dlib",
    preprocessing=Preprocessing(alignment="dlib", size=150, normalization="dlib"),
)
evaluate = EvaluateConfig(compare=("dlib@data/att_dlib",))
