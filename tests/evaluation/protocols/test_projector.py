"""The export, read by TensorBoard's own plugin."""

import dataclasses
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from werkzeug.test import Client

from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import choose_measured
from facenet_tf.evaluation.options.projector import ProjectorOptions
from facenet_tf.evaluation.protocol import Results
from facenet_tf.evaluation.protocols import projector
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.seen import SeenPeople


def results_of(dataset, pictures, without_dataset=False):
    config = EvaluateConfig(projector=ProjectorOptions(pictures))
    measured = choose_measured(config, Roster.of(dataset), SeenPeople(frozenset(), ""), dataset)
    if without_dataset:
        measured = dataclasses.replace(measured, dataset=None)
    values = np.random.default_rng(0).normal(size=(len(measured.roster), 5)).astype(np.float32)
    return Results(config, measured, {"trained": Vectors(measured.roster, values)}, {})


def served(directory, route, **query):
    """What TensorBoard answers."""
    plugins = pytest.importorskip("tensorboard.plugins.projector.projector_plugin")
    context = SimpleNamespace(logdir=str(directory), data_provider=None)
    application = plugins.ProjectorPlugin(context).get_plugin_apps()[route]
    answer = Client(application).get("/", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer


def test_tensorboard_serves_vectors_names_and_faces(dataset, tmp_path):
    results = results_of(dataset, 12)
    projector.save(results, tmp_path)
    place = tmp_path / projector.DIRECTORY
    config = json.loads(served(place, "/info", run=".").text)["embeddings"][0]
    assert config["tensorShape"] == [12, 5]
    wanted = {"run": ".", "name": config["tensorName"]}
    values = np.frombuffer(served(place, "/tensor", num_rows=12, **wanted).data, "<f4")
    header, *lines = served(place, "/metadata", num_rows=12, **wanted).text.splitlines()
    assert header == "person\tpicture"
    row_of = {str(key): row for row, key in enumerate(results.measured.roster.keys)}
    rows = [row_of[line.split("\t")[1]] for line in lines]
    assert len(set(rows)) == 12
    np.testing.assert_allclose(values.reshape(12, 5), results.trained.values[rows], rtol=1e-5)
    image = served(place, "/sprite_image", **wanted).data
    sheet = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    side = config["sprite"]["singleImageDim"][0]
    assert sheet.shape == (4 * side, 4 * side, 3)
    tiles = sheet.reshape(4, side, 4, side, 3).swapaxes(1, 2).reshape(16, side, side, 3)
    assert (tiles[:12].std(axis=(1, 2, 3)) > 5).all()
    assert (tiles[12:] == 0).all()


def test_faces_stand_where_their_vectors_do():
    crops = [np.full((4, 4, 3), number, np.uint8) for number in range(1, 6)]
    sheet = projector.sprite(crops, 4)
    assert sheet[::4, ::4, 0].tolist() == [[1, 2, 3], [4, 5, 0], [0, 0, 0]]


def test_only_test_pictures_with_a_record_are_exported(dataset, world):
    results = results_of(dataset, 10_000)
    figures = projector.figures(results.trained, results.measured, results.config)
    assert figures["pictures"] == world.test_people * world.pictures - 2  # the lost, the duplicate


def test_without_pictures_there_is_no_sprite(dataset, tmp_path):
    projector.save(results_of(dataset, 5, without_dataset=True), tmp_path)
    place = tmp_path / projector.DIRECTORY
    assert not (place / "sprite.png").exists()
    assert "sprite" not in (place / "projector_config.pbtxt").read_text()
    assert json.loads(served(place, "/info", run=".").text)["embeddings"][0]["tensorPath"]


def test_it_is_made_only_if_asked_for(evaluated):
    output, figures = evaluated
    assert "projector" not in figures
    assert not (output / projector.DIRECTORY).exists()
    with pytest.raises(InputError, match=r"--projector\.pictures"):
        ProjectorOptions(-1).check()
