from pathlib import Path

import pytest

from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.config import BuildConfig


def test_bare_is_the_demonstration():
    config = BuildConfig().resolved()
    assert (config.source, config.name, config.output) == ("att", "att", Path("data/att"))
    assert config.face == "largest_central"


def test_directory_is_a_folder_of_people():
    config = BuildConfig(Path("my photos")).resolved()
    assert (config.source, config.name, config.output) == (
        "folder",
        "my_photos",
        Path("data/my_photos"),
    )


def test_lfw_takes_the_central_face():
    config = BuildConfig(Path("images"), source="lfw", split="lfw_view1").resolved()
    assert (config.name, config.face) == ("lfw", "nearest_centre")
    assert BuildConfig(source="lfw", face="refuse").resolved().face == "refuse"


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 0},
        {"quality": 101},
        {"batch_size": 0},
        {"workers": -1},
        {"shards": -1},
        {"max_rmse": 0.0},
        {"detector_min_face": 7},
    ],
)
def test_values_out_of_range(options):
    option = "--" + next(iter(options)).replace("_", "-")
    with pytest.raises(InputError, match=option):
        BuildConfig(**options)


def test_options_that_do_not_fit():
    with pytest.raises(InputError, match="--source folder"):
        BuildConfig(source="folder").resolved()
    with pytest.raises(InputError, match="needs --source lfw"):
        BuildConfig(split="lfw_view1").resolved()


def test_manifest_names_no_place_and_no_worker():
    here = BuildConfig(Path("here"), name="x", output=Path("a"), workers=1, overwrite=True)
    there = BuildConfig(Path("there"), name="x", output=Path("b"), workers=7)
    assert here.to_manifest() == there.to_manifest()
    small = BuildConfig(Path("here"), name="x", preprocessing=Preprocessing(size=80))
    assert small.to_manifest() != here.to_manifest()
