"""The faster form of a network is the measured one, and the embeddings are the same in both."""

import json

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.models import forms
from tests.test_benchmarks import ROOT


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """In place of the table: at 8 and more the small network is faster under XLA, at 2 not."""
    table = {"batches": [2, 8], "xla": {"linear": [8]}}
    monkeypatch.setattr(forms, "TABLE", tmp_path / "forms.json")
    forms.TABLE.write_text(json.dumps(table))
    forms._table.cache_clear()
    yield
    forms._table.cache_clear()


@pytest.fixture
def traced(monkeypatch) -> list[bool | None]:
    """How each form was compiled that was traced."""
    compiled, function = [], tf.function

    def noted(forward, *, jit_compile=None, **options):
        def noting(images):
            compiled.append(jit_compile)
            return forward(images)

        return function(noting, jit_compile=jit_compile, **options)

    monkeypatch.setattr(tf, "function", noted)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    return compiled


def crops(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "batch", "expected"),
    [
        ("linear", 1, False),
        ("linear", 2, False),
        ("linear", 7, False),
        ("linear", 8, True),
        ("linear", 64, True),
        ("nn2", 64, False),
    ],
)
def test_the_largest_measured_batch_below_decides(measured, name, batch, expected):
    assert forms.faster_under_xla(name, batch) is expected


def test_many_full_batches_are_compiled_and_the_embeddings_stay(small_model, measured, traced):
    embed = forms.forward_pass(small_model)
    expected = small_model(crops(8)).numpy()
    for number in range(forms.PATIENCE + 2):
        found = embed(crops(8))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert traced == [None] + [True] * (number >= forms.PATIENCE)
    embed(crops(3))
    assert traced.count(True) == 1


def test_what_was_measured_on_a_cpu_says_nothing_of_a_gpu(
    small_model, measured, traced, monkeypatch
):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["/GPU:0"])
    embed = forms.forward_pass(small_model)
    for _ in range(forms.PATIENCE + 2):
        embed(crops(8))
    assert traced == [None]


def test_the_table_is_that_of_the_measurement():
    table = json.loads(forms.TABLE.read_text())
    assert set(table) == {"commit", "machine", "batches", "xla"}
    report = ROOT / "benchmarks" / "results" / "embedding.json"
    if not report.exists():
        assert table["xla"] == {}
        return
    assert table["commit"] == json.loads(report.read_text())["commit"], "run embedding_forms.py"
