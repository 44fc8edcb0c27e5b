"""What TensorBoard shows: the hardest triplets, and the projector with its thumbnails."""

import itertools

import cv2
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from facenet_tf.training import tensorboard
from facenet_tf.training.tensorboard import (
    TensorBoardLog,
    draw_triplets,
    hardest_triplets,
    write_projector,
)
from facenet_tf.training.validation import ValidationPeople


def made_up(count=12, people=4, seed=3):
    random = np.random.default_rng(seed)
    images = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    rows = random.normal(size=(count, 5)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return images, np.arange(count) % people, np.arange(count), rows


def brute_force(labels, sources, rows):
    """(anchor, positive, negative) by looking at every triplet there is."""
    found = {}
    for a, p, n in itertools.product(range(len(labels)), repeat=3):
        if labels[a] != labels[p] or sources[a] == sources[p] or labels[a] == labels[n]:
            continue
        gap = np.linalg.norm(rows[a] - rows[p]) - np.linalg.norm(rows[a] - rows[n])
        if a not in found or gap > found[a][0]:
            found[a] = (gap, p, n)
    return [(a, p, n) for a, (_, p, n) in sorted(found.items())]


def test_each_anchor_has_its_farthest_positive_and_nearest_negative():
    images, labels, sources, rows = made_up()
    sources = sources.copy()
    sources[4] = sources[0]  # a copy of the same picture is no positive
    triplets = hardest_triplets(images, labels, sources, rows)
    shown = [tuple(int(crop[0, 0, 0]) for crop in triplet.crops) for triplet in triplets]
    assert shown == brute_force(labels, sources, rows)
    for (a, p, n), triplet in zip(shown, triplets, strict=True):
        np.testing.assert_allclose(triplet.positive, np.linalg.norm(rows[a] - rows[p]), rtol=1e-4)
        np.testing.assert_allclose(triplet.negative, np.linalg.norm(rows[a] - rows[n]), rtol=1e-4)


def test_anchors_without_a_positive_or_negative_are_left_out():
    images, _, sources, rows = made_up()
    assert hardest_triplets(images, sources, sources, rows) == []
    assert hardest_triplets(images, np.zeros(12, int), sources, rows) == []


def test_triplets_are_drawn_row_by_row():
    images, labels, sources, rows = made_up()
    triplets = hardest_triplets(images + 200, labels, sources, rows)
    few, none = draw_triplets(triplets[:2]), draw_triplets([])
    assert few.dtype == np.uint8 and few.shape == none.shape
    height = few.shape[0] // 6
    assert (few[: 2 * height] < 230).any() and (few[3 * height :] == 255).all()
    assert (none == 255).all()


def shown(directory):
    """Step and value of the loss, as TensorBoard takes it from the files of a directory."""
    accumulator = EventAccumulator(str(directory))
    accumulator.Reload()
    points = accumulator.Tensors("train/loss")
    return [(point.step, float(tf.make_ndarray(point.tensor_proto))) for point in points]


def test_epochs_that_were_undone_are_shown_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(TensorBoardLog, "_hardest_triplets", lambda *_: [])
    sittings = {0: [5.0, 4.0, 3.0], 1: [2.0], 2: [1.0, 0.5]}
    for behind, losses in sittings.items():
        log = TensorBoardLog(tmp_path, None, None, None, behind)
        log.on_train_begin()
        for epoch, loss in enumerate(losses, start=behind):
            log.on_epoch_end(epoch, {"loss": loss})
        log.on_train_end()
        expected = {0: losses, 1: [5.0, 2.0], 2: [5.0, 2.0, 1.0, 0.5]}[behind]
        assert shown(tmp_path) == list(enumerate(expected, start=1))


def test_a_picture_that_cannot_be_drawn_is_warned_of_and_all_else_is_there(
    tmp_path, monkeypatch, caplog
):
    def fails(*_):
        raise ValueError("no such font")

    monkeypatch.setattr(TensorBoardLog, "_hardest_triplets", lambda *_: [])
    for drawn in ("draw_triplets", "write_distances", "write_projector"):
        monkeypatch.setattr(tensorboard, drawn, fails)
    log = TensorBoardLog(tmp_path, None, None, "some people")
    log.on_train_begin()
    for epoch, loss in enumerate([5.0, 4.0]):
        log.on_epoch_end(epoch, {"loss": loss, "val_auc": 0.5, "val_auc_best": 0.5})
    log.on_train_end()
    assert shown(tmp_path) == [(1, 5.0), (2, 4.0)]
    for what in ("triplets", "distances", "projector"):
        assert f"lacks the {what} of epoch 2 (ValueError: no such font)" in caplog.text


@pytest.mark.parametrize("failing", ["create_file_writer", "flush"])
def test_a_disk_that_takes_nothing_is_warned_of(tmp_path, monkeypatch, caplog, failing):
    def fails(*_, **__):
        raise tf.errors.UnknownError(None, None, "stale file handle")

    monkeypatch.setattr(TensorBoardLog, "_hardest_triplets", lambda *_: [])
    if failing == "create_file_writer":
        monkeypatch.setattr(tf.summary, failing, fails)
    log = TensorBoardLog(tmp_path, None, None, None)
    log.on_train_begin()
    if failing == "flush":
        monkeypatch.setattr(log.writer, failing, fails)
    log.on_epoch_end(0, {"loss": 5.0})
    monkeypatch.undo()
    log.on_train_end()
    lacks = "what is new of epoch 1" if failing == "flush" else "the beginning of the stage"
    assert f"lacks {lacks} (UnknownError: stale file handle)" in caplog.text


def test_the_projector_has_a_name_a_vector_and_a_thumbnail_for_each_face(dataset, tmp_path):
    people = ValidationPeople(dataset)
    people.embeddings = np.random.default_rng(0).normal(size=(len(people.labels), 3))
    write_projector(tmp_path, people)
    names = (tmp_path / "names.tsv").read_text().splitlines()
    assert names == [dataset.class_names[label] for label in people.labels]
    vectors = np.loadtxt(tmp_path / "embeddings.tsv", delimiter="\t")
    np.testing.assert_allclose(vectors, people.embeddings, atol=1e-5)
    sheet = cv2.imread(str(tmp_path / "sprite.png"))
    side = int(np.ceil(np.sqrt(len(names))))
    assert sheet.shape == (side * 32, side * 32, 3)
    first = next(iter(people.batches()))[0].numpy()
    expected = cv2.resize(first, (32, 32), interpolation=cv2.INTER_AREA)[..., ::-1]
    assert np.abs(sheet[:32, :32].astype(int) - expected.astype(int)).mean() < 12
