"""All of LFW as a test set: the ten folds of View 2, for models trained on other people.

python data_prep/build_tfrecords.py DIRECTORY --config configs/lfw.py
"""

from facenet_tf.records.config import BuildConfig

build = BuildConfig(
    source="lfw",
    name="lfw",
    split="lfw_view2",
    fallback=True,  # every picture of the 6,000 pairs counts
    duplicates="keep",
)
