"""Options of identification, strangers and clusters that cannot be meant are refused by name."""

import importlib

import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options.clustering import ClusteringOptions
from facenet_tf.evaluation.options.distractors import DistractorsOptions
from facenet_tf.evaluation.options.identification import IdentificationOptions


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (IdentificationOptions(enrolled=0), "identification.enrolled"),
        (IdentificationOptions(unknown=0.0), "identification.unknown"),
        (IdentificationOptions(unknown=1.0), "identification.unknown"),
        (IdentificationOptions(ranks=(1, 0)), "identification.ranks"),
        (DistractorsOptions(sizes=(0,)), "distractors.sizes"),
    ],
)
def test_a_bad_option_is_named(options, named):
    with pytest.raises(InputError, match=f"--{named}"):
        options.check()


def test_strangers_of_a_file_need_a_number_and_the_file(tmp_path):
    path = tmp_path / "others.npz"
    with pytest.raises(InputError, match=r"needs --distractors\.sizes"):
        DistractorsOptions(source=path).check()
    with pytest.raises(InputError, match="no such file"):
        DistractorsOptions(sizes=(5,), source=path).check()
    path.touch()
    DistractorsOptions(sizes=(5,), source=path).check()


def test_a_missing_extra_is_told_before_anything_is_embedded(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(InputError, match=r"facenet-tf\[search\]"):
        DistractorsOptions(sizes=(5,), search="hnsw").check()
    DistractorsOptions(sizes=(5,), search="exact").check()
    DistractorsOptions(search="hnsw").check()


def test_defaults_are_fine():
    for options in (IdentificationOptions(), DistractorsOptions(), ClusteringOptions()):
        options.check()
