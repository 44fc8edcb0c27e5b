import json
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
        {"shards": 10**6},
        {"seed": -1},
        {"test_people": float("nan")},
        {"test_people": float("inf")},
        {"test_people": -0.1},
        {"validation_people": 1.5},
        {"validation_min_pictures": -1},
        {"smallest_face": -1.0},
        {"smallest_face": float("nan")},
        {"max_rmse": float("nan")},
        {"max_rmse": 0.0},
        {"detector_min_face": 7},
        {"min_confidence": 1.5},
        {"min_confidence": float("nan")},
        {"min_sharpness": -1.0},
        {"min_sharpness": float("inf")},
        {"min_exposure": -0.1},
        {"min_exposure": 0.6, "max_exposure": 0.5},
        {"max_exposure": 256.0},
        {"max_yaw": 91.0},
        {"max_roll": -1.0},
        {"detector_min_face": float("nan")},
        {"detector_thresholds": (0.6, 1.1, 0.8)},
        {"detector_thresholds": (0.6, 0.7, float("nan"))},
        {"detector_scale_factor": 1.0},
        {"detector_scale_factor": 0.0},
    ],
)
def test_values_out_of_range(options):
    option = "--" + next(iter(options)).replace("_", "-")
    with pytest.raises(InputError, match=option):
        BuildConfig(**options)


def test_names_that_are_not_utf8_become_text():
    odd = b"M\xfcller".decode("utf-8", "surrogateescape")
    assert BuildConfig(Path(odd)).resolved().name == "M_xfcller"
    assert BuildConfig(name=odd).resolved().name == "M\\xfcller"


def test_options_that_do_not_fit():
    with pytest.raises(InputError, match="--source folder"):
        BuildConfig(source="folder").resolved()
    with pytest.raises(InputError, match="needs --source lfw"):
        BuildConfig(split="lfw_view1").resolved()


def test_options_of_one_detector_only():
    with pytest.raises(InputError, match="--detector-model belong together"):
        BuildConfig(detector="yunet")
    with pytest.raises(InputError, match="--detector-model belong together"):
        BuildConfig(detector_model=Path("yunet.onnx"))
    for options in ({"detector_engine": "onnx"}, {"detector_thresholds": (0.5, 0.7, 0.8)}):
        option = "--" + next(iter(options)).replace("_", "-")
        with pytest.raises(InputError, match=f"{option} is MTCNN's"):
            BuildConfig(detector="retinaface", **options)


@pytest.mark.parametrize(
    ("options", "same"),
    [
        (
            {"test_people": 2, "validation_people": 0},
            {"test_people": 2.0, "validation_people": 0.0},
        ),
        ({"detector_thresholds": (0, 0.7, 1)}, {"detector_thresholds": (0.0, 0.7, 1.0)}),
        ({"smallest_face": 12, "max_yaw": 45}, {"smallest_face": 12.0, "max_yaw": 45.0}),
    ],
)
def test_equal_numbers_are_written_alike(options, same):
    one, other = BuildConfig(**options).to_manifest(), BuildConfig(**same).to_manifest()
    assert json.dumps(one) == json.dumps(other)


def test_manifest_names_no_place_and_no_worker():
    here = BuildConfig(Path("here"), name="x", output=Path("a"), workers=1, overwrite=True)
    there = BuildConfig(Path("there"), name="x", output=Path("b"), workers=7)
    assert here.to_manifest() == there.to_manifest()
    small = BuildConfig(Path("here"), name="x", preprocessing=Preprocessing(size=80))
    assert small.to_manifest() != here.to_manifest()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"ray_address": "head:6379"}, "--ray-address is Ray's: give --engine ray too"),
        ({"source_url": "data/photos"}, "--source-url data/photos: give a URL"),
        ({"output_url": "/data/faces"}, "--output-url /data/faces: give a URL"),
        ({"source_url": "s3://a/b", "source": "lfw"}, "leave out the directory and --source"),
        ({"source_url": "s3://a/b", "directory": Path("x")}, "leave out the directory"),
        ({"directory": Path("s3://a/b")}, "give it as --source-url"),
        ({"output": Path("gs://a/b")}, "give it as --output-url"),
    ],
)
def test_places_and_engines_that_do_not_fit_are_refused(options, complaint):
    with pytest.raises(InputError, match=complaint):
        BuildConfig(**options)


def test_where_it_is_built_is_no_part_of_the_manifest():
    plain = BuildConfig(Path("photos/mine")).resolved()
    there = BuildConfig(
        source_url="s3://bucket/photos/mine/",
        output_url="s3://bucket/faces",
        engine="ray",
        ray_address="head:6379",
    ).resolved()
    assert there.to_manifest() == plain.to_manifest()
    assert there.name == "mine"


def test_a_cluster_is_given_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = BuildConfig(Path("photos"), output=Path("out"), engine="ray").resolved()
    assert (config.directory, config.output) == (tmp_path / "photos", tmp_path / "out")
    assert BuildConfig(Path("photos")).resolved().directory == Path("photos")


def test_the_manifest_names_the_width_of_crops_that_are_not_square_alone():
    """Datasets of before know of no width: their shards must be found to be the same."""
    square = BuildConfig().to_manifest()["preprocessing"]
    assert list(square) == ["alignment", "size", "color", "resampling", "border", "normalization"]
    narrow = BuildConfig(preprocessing=Preprocessing(width=96)).to_manifest()["preprocessing"]
    assert narrow == {**square, "width": 96}
