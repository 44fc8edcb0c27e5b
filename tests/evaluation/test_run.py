"""The whole evaluation, from a saved run and a dataset directory to the files it leaves."""

import json
import re

import numpy as np
import pytest
import skops.io

from facenet_tf.errors import InputError
from facenet_tf.evaluation import circumstances as module
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.projection import ProjectionOptions

from ..conftest import evaluate_without_plots


def test_returns_what_the_json_holds(evaluated):
    output, figures = evaluated
    saved = json.loads((output / "evaluation.json").read_text())
    assert saved == json.loads(json.dumps(figures))


def test_json_has_the_agreed_keys(evaluated):
    _, figures = evaluated
    assert {"accuracy", "macro_f1", "protocol"} <= figures["svm"].keys()
    assert set(figures["baselines"]) == {"untrained", "raw_pixels"}
    keys = {"accuracy_mean", "accuracy_sem", "auc", "eer", "tar", "pairs", "protocol"}
    for result in (figures, *figures["baselines"].values()):
        assert keys <= result["verification"]["unseen_people"].keys()


def test_far_without_enough_impostors_has_no_figure(evaluated):
    unseen = evaluated[1]["verification"]["unseen_people"]
    assert unseen["tar"]["0.1"] is not None
    assert unseen["tar"]["0.001"] is None
    assert "need 10000" in unseen["tar_points"]["0.001"]["skipped"]


def test_lost_picture_is_named_and_its_pairs_are_counted(world, evaluated):
    _, figures = evaluated
    pictures = figures["pictures"]
    assert [lost["key"] for lost in pictures["lost"]] == [world.lost]
    assert pictures["test_outcomes"] == {"duplicate": 1, "no_face": 1, "ok": 30}
    unseen = figures["verification"]["unseen_people"]
    compared = world.test_people * world.pictures - 1  # the duplicate apart
    assert unseen["pairs"] == compared * (compared - 1) // 2
    assert unseen["pairs_with_lost_picture"] == compared - 1
    assert unseen["without_lost"]["auc"] > unseen["auc"]


def test_lost_picture_counts_as_error_of_the_svm(evaluated):
    with_lost = evaluated[1]["svm"]["lost_as_errors"]
    assert with_lost["lost_pictures"] == 1
    assert with_lost["test_pictures"] == 6 + 1  # a fifth of 30, and the lost one


def test_embeddings_load_without_pickle_and_are_the_models(world, evaluated, small_model, dataset):
    output, _ = evaluated
    saved = np.load(output / "embeddings.npz", allow_pickle=False)
    assert saved["embeddings"].dtype == np.float32
    assert set(saved["splits"]) == {"test", "validation"}
    assert {world.lost}.isdisjoint(saved["keys"])
    row_of = dict(zip(saved["keys"], saved["embeddings"], strict=True))
    key = str(saved["keys"][3])
    record = dataset.keys().index(key)
    from facenet_tf.input_pipeline.pipeline import evaluation_batches

    image = next(iter(evaluation_batches(dataset, np.array([record]), 1)))
    np.testing.assert_allclose(row_of[key], small_model(image)[0], atol=1e-5)
    names = [key.split("/")[0] for key in saved["keys"]]
    assert saved["identities"].tolist() == names
    assert len(set(zip(saved["labels"].tolist(), names, strict=True))) == len(set(names))


def test_duplicate_shares_the_vector_of_its_original(world, evaluated):
    saved = np.load(evaluated[0] / "embeddings.npz")
    assert world.duplicate in saved["keys"]


def test_svm_loads_without_pickle_and_gives_names(evaluated):
    output, figures = evaluated
    svm = skops.io.load(output / "svm.skops", trusted=[])
    saved = np.load(output / "embeddings.npz")
    test = saved["splits"] == "test"
    predicted = svm.predict(saved["embeddings"][test])
    assert set(predicted) <= set(figures["svm"]["people"])
    assert np.mean(predicted == saved["identities"][test]) > 0.5


def test_report_is_one_file_with_its_images_inside(world, evaluated):
    output, figures = evaluated
    report = (output / "report.html").read_text()
    drawn = len(list(output.glob("*.png")))
    assert report.count("data:image/png;base64,") == 2 * drawn >= 10  # for light and for dark
    assert "data:image/webp;base64," in report
    assert not re.search(r'(src|srcset|href)="(?!data:|#)', report)
    assert world.lost in report
    assert f"{figures['svm']['accuracy']:.4f}" in report
    for image in ("roc", "det", "distances", "confusion", "cmc", "reliability", "tsne"):
        assert (output / f"{image}.png").read_bytes().startswith(b"\x89PNG")


def test_commits_of_both_codes_are_told(evaluated):
    _, figures = evaluated
    assert figures["run"]["git_revision"] == "abc"
    assert figures["git_revision"] not in ("", "abc")


def test_few_shot_figures_stand_beside_the_others(evaluated):
    _, figures = evaluated
    for result in (figures, *figures["baselines"].values()):
        assert set(result["few_shot"]["shots"]) == {"1", "2", "5"}
    assert figures["few_shot"]["people"] == 4
    assert figures["few_shot"]["lost_pictures"] == 1
    assert figures["few_shot"]["pictures"] == 31  # the duplicate apart


def test_all_crops_are_degraded_and_that_is_recorded(run, dataset, evaluated, tmp_path):
    few = {"repeats": 2, "bootstrap": 0, "projection": ProjectionOptions(()), "few_shot": ()}
    config = EvaluateConfig(run, dataset.directory, output=tmp_path, degrade=("grey",), **few)
    figures = evaluate_without_plots(config)
    assert figures["pictures"]["degraded"] == ["grey"]
    assert "few_shot" not in figures
    assert "All crops degraded: grey" in (tmp_path / "report.html").read_text()
    for key in ("verification", "baselines"):
        assert figures[key] != evaluated[1][key]
    assert evaluated[1]["pictures"]["degraded"] == []


def test_same_seed_gives_the_same_json(run, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "git_revision", lambda: "one")  # files may change meanwhile
    texts = []
    for name in "ab":
        config = EvaluateConfig(
            run,
            dataset.directory,
            output=tmp_path / name,
            repeats=2,
            bootstrap=5,
            projection=ProjectionOptions(()),
        )
        evaluate_without_plots(config)
        text = (tmp_path / name / "evaluation.json").read_text()
        texts.append(text.replace(str(tmp_path / name), "OUTPUT"))
    assert texts[0] == texts[1]


def test_missing_run_names_the_file(dataset, tmp_path):
    with pytest.raises(InputError, match=r"model\.keras"):
        evaluate_without_plots(EvaluateConfig(tmp_path / "none", dataset.directory))
