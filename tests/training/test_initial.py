"""Weights that a run begins with: what of the config they settle, and whom they saw."""

import dataclasses
import hashlib
import json

import pytest

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.fine_tuning import FineTuning
from facenet_tf.training.initial import open_initial, resumed_initial
from facenet_tf.training.run_directory import RunDirectory
from facenet_tf.training.start import build_model, prepare_body, with_network

SIDE = 32


def config_for(dataset, source, **changes) -> TrainConfig:
    tuning = FineTuning(init=str(source))
    return TrainConfig(dataset=dataset.directory, fine_tuning=tuning, **changes)


@pytest.fixture(scope="module")
def network():
    """As a run with these options makes it."""
    crops = Preprocessing(size=SIDE)
    return models.build("residual_small", preprocessing=crops, embedding_size=16, width=8)


@pytest.fixture
def trained(network, tmp_path):
    """Its run directory."""
    network.save(tmp_path / "model.keras")
    config = {"model": "residual_small", "width": 8, "dropout": None, "head": "depthwise"}
    record = {"config": config, "dataset": {"seen_people": ["Ada", "Bo"]}}
    (tmp_path / "config.json").write_text(json.dumps(record))
    return tmp_path


@pytest.mark.parametrize("source", ["", "model.keras"])
def test_a_run_settles_the_network_and_says_whom_it_saw(dataset, trained, network, source):
    config = config_for(dataset, trained / source)
    initial = open_initial(config, dataset)
    assert initial.seen_people == ("Ada", "Bo") and initial.seen_before is None
    assert initial.steering_people == ()  # that run did not say
    settled = with_network(config, initial)
    assert (settled.model, settled.embedding_size) == ("residual_small", 16)
    assert settled.options_of_model == {"width": 8, "head": "depthwise"}
    body = build_model(settled, dataset.preprocessing)
    prepare_body(body, settled, initial)
    for ours, theirs in zip(body.get_weights(), network.get_weights(), strict=True):
        assert (ours == theirs).all()


@pytest.mark.parametrize("source", ["", "model.keras"])
def test_a_run_on_a_backbone_of_keras_is_gone_on_from(dataset, tmp_path, source):
    theirs = models.build(
        "keras:MobileNet", preprocessing=Preprocessing(size=SIDE), embedding_size=8
    )
    theirs.save(tmp_path / "model.keras")
    record = {"config": {"model": "keras:MobileNet"}, "dataset": {"seen_people": []}}
    (tmp_path / "config.json").write_text(json.dumps(record))
    config = config_for(dataset, tmp_path / source, model="keras:MobileNet")
    initial = open_initial(config, dataset)
    settled = with_network(config_for(dataset, tmp_path / source), initial)
    assert (settled.model, settled.embedding_size) == ("keras:MobileNet", 8)
    body = build_model(settled, dataset.preprocessing)
    prepare_body(body, settled, initial)
    for ours, weights in zip(body.get_weights(), theirs.get_weights(), strict=True):
        assert (ours == weights).all()


def test_another_embedding_size_leaves_the_last_layer_fresh(dataset, trained, network):
    config = config_for(dataset, trained, embedding_size=8)
    initial = open_initial(config, dataset)
    settled = with_network(config, initial)
    body = build_model(settled, dataset.preprocessing)
    prepare_body(body, settled, initial)
    assert body.output_shape == (None, 8)
    first = (model.get_layer("stem_conv1").get_weights()[0] for model in (body, network))
    assert (next(first) == next(first)).all()


def test_options_of_an_architecture_are_handed_on_one_by_one(dataset, trained):
    record = json.loads((trained / "config.json").read_text())
    record["config"]["model_options"] = {"strides": 2, "norm": "batch"}
    (trained / "config.json").write_text(json.dumps(record))
    config = config_for(dataset, trained, model_options={"norm": "affine"}, head="gap")
    settled = with_network(config, open_initial(config, dataset))
    assert settled.model_options == {"strides": 2, "norm": "affine"}
    assert settled.options_of_model == {"width": 8, "head": "gap", "strides": 2, "norm": "affine"}


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("residual_small", {"depth": 3}, "residual_small has no option 'depth'; it has dropout, h"),
        ("residual_small", {"blocks": 3}, "has no option 'blocks'"),
        ("ghostfacenet_v1", {"strides": "2x"}, "strides must be a whole number, not '2x'"),
        ("ghostfacenet_v1", {"strides": 3}, "strides 3: strides must be 1 or 2, not 3"),
        ("ghostfacenet_v1", {"multiplier": "much"}, "multiplier must be a number, not 'much'"),
        ("keras:MobileNet", {"norm": "batch"}, "has no option 'norm'; it has dropout, head"),
    ],
)
def test_options_that_the_architecture_refuses(model, options, message):
    config = TrainConfig(model=model, embedding_size=8, model_options=options)
    with pytest.raises(InputError, match=rf"^--model {model}, .*{message}"):
        build_model(config, Preprocessing(size=SIDE))


def test_options_of_an_architecture_change_the_network():
    config = TrainConfig(model="ghostfacenet_v1", embedding_size=8)
    config = dataclasses.replace(config, model_options={"strides": 2, "multiplier": 1})
    body = build_model(config, Preprocessing(size=SIDE))
    assert body.get_layer("stem_conv").output.shape == (None, 16, 16, 16)


def test_weights_of_which_only_the_head_fits_are_refused(dataset, trained):
    config = config_for(dataset, trained, width=4, embedding_size=16)
    initial = open_initial(config, dataset)
    settled = config.with_body(initial.body)
    with pytest.raises(InputError, match=r"--init: residual_small has no layer|no weights for"):
        prepare_body(build_model(settled, dataset.preprocessing), settled, initial)


def test_whom_weights_of_others_saw_is_unknown(dataset, network, tmp_path):
    network.save(tmp_path / "theirs.keras")
    initial = open_initial(config_for(dataset, tmp_path / "theirs.keras"), dataset)
    assert initial.seen_people == ()
    assert initial.seen_before == "theirs.keras"


def test_weights_of_others_are_handed_on_from_run_to_run(dataset, trained):
    record = json.loads((trained / "config.json").read_text())
    record["dataset"]["seen_before"] = "dlib"
    (trained / "config.json").write_text(json.dumps(record))
    initial = open_initial(config_for(dataset, trained), dataset)
    assert initial.seen_before == "dlib"


def test_weights_are_known_again_in_another_file(dataset, network, trained, tmp_path):
    network.save(tmp_path / "theirs.keras")
    first = open_initial(config_for(dataset, trained), dataset)
    again = open_initial(config_for(dataset, tmp_path / "theirs.keras"), dataset)
    weights = b"".join(weight.tobytes() for weight in network.get_weights())
    assert first.sha256 == again.sha256 == hashlib.sha256(weights).hexdigest()


def test_a_run_that_is_resumed_does_not_open_the_file(dataset, tmp_path):
    run = RunDirectory(tmp_path / "run")
    config = config_for(dataset, tmp_path / "gone.keras", output=run.path)
    resumed = dataclasses.replace(config, resume=True)
    network = {"model": "residual_small", "embedding_size": 16, "width": 8, "dropout": None}
    people = {"seen_people": ["Ada", "Bo"], "steering_people": ["Bo"], "seen_before": "dlib"}
    record = {"config": network, "dataset": people}
    run.start(record, overwrite=False, resume=False)
    assert resumed_initial(resumed, run) is None  # nothing has been written but that
    (run.checkpoints / "000000000").mkdir(parents=True)
    assert resumed_initial(config, run) is None
    initial = resumed_initial(resumed, run)
    settled = with_network(resumed, initial)
    assert (settled.model, settled.embedding_size) == ("residual_small", 16)
    assert settled.options_of_model == {"width": 8}
    assert (initial.seen_people, initial.steering_people) == (("Ada", "Bo"), ("Bo",))
    assert initial.seen_before == "dlib"
    body = build_model(settled, dataset.preprocessing)
    prepare_body(body, settled, initial)
    assert resumed_initial(dataclasses.replace(TrainConfig(), resume=True), run) is None


def test_other_crops_and_another_network_are_refused_by_name(dataset, trained, tmp_path):
    with pytest.raises(InputError, match=r"--model nn2: .* are of residual_small; leave --model"):
        open_initial(config_for(dataset, trained, model="nn2"), dataset)
    crops = Preprocessing(size=SIDE, normalization="per_image")
    models.build("residual_small", preprocessing=crops, width=4).save(tmp_path / "a.keras")
    with pytest.raises(InputError, match=r"a\.keras \(--init\) and dataset .*normalization: per"):
        open_initial(config_for(dataset, tmp_path / "a.keras"), dataset)


def test_fresh_weights_have_the_usual_network():
    settled = with_network(TrainConfig(), None)
    assert (settled.model, settled.embedding_size) == ("residual_small", 128)
    given = dataclasses.replace(TrainConfig(), model="nn2", embedding_size=64)
    assert with_network(given, None) == given


@pytest.mark.parametrize(
    ("model", "size"), [("ir100", 512), ("vgg_face", 4096), ("nn2", 128), ("keras:MobileNet", 128)]
)
def test_fresh_weights_have_embeddings_of_the_published_size(model, size):
    assert with_network(TrainConfig(model=model), None).embedding_size == size


def test_an_unknown_architecture_is_refused_by_name():
    with pytest.raises(InputError, match="--model nn9: no architecture 'nn9'; there are"):
        with_network(TrainConfig(model="nn9"), None)
