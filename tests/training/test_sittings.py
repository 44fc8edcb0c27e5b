"""With what a run is begun and gone on with."""

import dataclasses

import pytest
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.provenance import processor
from facenet_tf.training import sittings
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.run_directory import RunDirectory
from facenet_tf.training.sittings import check_kernels, check_sitting, record_sitting

BEGAN = {"python": "3.11.2", "tensorflow": "2.15.1", "numpy": "1.26.4"}


@pytest.fixture
def run(tmp_path):
    begun = RunDirectory(tmp_path)
    resolved = {
        "config": {"seed": 0, "jit": "loss", "threads": 2},
        "git_revision": "abc",
        "versions": BEGAN,
    }
    begun.start(resolved, overwrite=False, resume=False)
    return begun


@pytest.fixture
def with_(monkeypatch):
    def set_up(commit="abc", **versions):
        monkeypatch.setattr(sittings, "git_revision", lambda: commit)
        monkeypatch.setattr(sittings, "versions", lambda: BEGAN | versions)
        monkeypatch.setattr(sittings, "kernels", lambda: {"processor": "x86 (avx)", "gpus": []})

    return set_up


@pytest.mark.parametrize("deterministic", [True, False])
def test_with_the_same_nothing_is_said(run, with_, caplog, deterministic):
    with_(skops="1.0")  # which the run did not note when it began
    check_sitting(run, deterministic)
    assert caplog.text == ""


def test_others_are_warned_of(run, with_, caplog):
    with_("def", tensorflow="2.20.0", python="3.12.1")
    check_sitting(run, deterministic=False)
    [told] = caplog.messages
    assert "tensorflow (2.15.1 there, 2.20.0 now)" in told
    assert "python (3.11.2 there, 3.12.1 now)" in told
    assert "commit (abc there, def now)" in told
    assert "numpy" not in told


def test_a_deterministic_run_wants_the_versions_that_decide(run, with_, caplog):
    with_("def", python="3.12.1")
    check_sitting(run, deterministic=True)
    assert "commit" in caplog.text
    with_(python="3.12.1", numpy="2.1.0")
    with pytest.raises(
        InputError, match=r"--deterministic.*numpy \(1.26.4 there, 2.1.0 now\)"
    ) as no:
        check_sitting(run, deterministic=True)
    assert "python" not in str(no.value) and "\n" not in str(no.value)


def test_sittings_are_listed(run, with_):
    with_("abc")
    config = TrainConfig(threads=2, resume=True)
    record_sitting(run, 0, config)
    with_("def", numpy="2.1.0")
    record_sitting(run, 7, dataclasses.replace(config, threads=1))
    beside = {"processor": "x86 (avx)", "gpus": []}
    options = {"threads": 2, "jit": "loss", "steps_per_execution": 1}
    numpy = {"numpy": "2.1.0"}
    assert run.recorded("sittings") == [
        {"step": 0, "git_revision": "abc", "versions": BEGAN, **beside, "options": options},
        {"step": 7, "git_revision": "def", "versions": BEGAN | numpy, **beside}
        | {"options": options | {"threads": 1}},
    ]
    assert run.recorded("config")["threads"] == 1
    assert "resume" not in run.recorded("config")
    assert run.recorded("git_revision") == "abc"


def test_scipy_decides_too(run, with_):
    """It draws the shares of MixUp."""
    run.record(versions=BEGAN | {"scipy": "1.10.0"})
    with_(scipy="1.15.0")
    with pytest.raises(InputError, match=r"scipy \(1.10.0 there, 1.15.0 now\)"):
        check_sitting(run, deterministic=True)


def test_a_deterministic_run_wants_the_kind_of_processor_that_it_began_on(run, with_, monkeypatch):
    with_()
    run.record(sittings=[{"step": 0}])  # of a run that did not note it
    check_kernels(run)
    record_sitting(run, 7, TrainConfig())
    check_kernels(run)
    now = {"processor": "x86 (avx avx512f)", "gpus": ["A"]}
    monkeypatch.setattr(sittings, "kernels", lambda: now)
    told = (
        r"--deterministic.*processor \(x86 \(avx\) there, x86 \(avx avx512f\) now\), "
        r"gpus \(\[\] there, \['A'\] now\): "
    )
    with pytest.raises(InputError, match=told):
        check_kernels(run)


def test_kernels_are_told_by_the_machine_and_its_switches(monkeypatch):
    here = sittings.kernels()
    assert here["processor"] == processor()
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    tensor_float_32 = tf.config.experimental.tensor_float_32_execution_enabled()
    try:
        tf.config.experimental.enable_tensor_float_32_execution(not tensor_float_32)
        there = sittings.kernels()
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(tensor_float_32)
    differing = {name for name in here if here[name] != there[name]}
    assert differing == {"tensor_float_32", "TF_ENABLE_ONEDNN_OPTS"}
    gpus = ["GPU:0", "GPU:1", "GPU:2"]
    details = {"GPU:0": "B", "GPU:1": "A", "GPU:2": "B"}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda gpu: {"device_name": details[gpu]}
    )
    assert sittings.kernels()["gpus"] == ["A", "B"]
