"""Starting, resuming and refusing."""

import errno
import json
from pathlib import Path

import pytest

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.provenance import git_revision, processor, versions
from facenet_tf.records import checksums, locks
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.run_directory import RunDirectory, plain

RESOLVED = {"config": {"seed": 1, "warm_up": {"epochs": 2}}, "fingerprint": "ab", "dataset": {}}


def test_a_run_is_not_overwritten_unasked(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.start(RESOLVED, overwrite=False, resume=False)
    with pytest.raises(InputError, match="--resume, --overwrite"):
        run.start(RESOLVED, overwrite=False, resume=False)


def test_overwrite_clears_the_earlier_run_and_nothing_else(tmp_path):
    run = RunDirectory(tmp_path)
    run.start(RESOLVED, overwrite=False, resume=False)
    run.checkpoints.mkdir()
    run.history.write_text("old")
    run.identity_errors.write_text("old")
    run.report_of(7).write_text("old")
    run.candidate.write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    run.start(RESOLVED | {"fingerprint": "cd"}, overwrite=True, resume=False)
    assert not run.checkpoints.exists()
    assert not run.history.exists() and not run.identity_errors.exists()
    assert not run.report_of(7).exists()
    assert not run.candidate.exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert json.loads(run.config.read_text())["fingerprint"] == "cd"


def test_overwrite_spares_what_is_no_run_of_ours(tmp_path):
    (tmp_path / "config.json").write_text('{"port": 8080}')
    (tmp_path / "logs").mkdir()
    with pytest.raises(InputError, match="another program"):
        RunDirectory(tmp_path).start(RESOLVED, overwrite=True, resume=False)
    assert (tmp_path / "logs").is_dir()


@pytest.mark.parametrize("options", [{"overwrite": True}, {"resume": True}])
def test_a_damaged_config_is_named(tmp_path, options):
    (tmp_path / "config.json").write_text('{"config": ')
    with pytest.raises(InputError, match=r"config\.json is damaged"):
        RunDirectory(tmp_path).start(RESOLVED, **{"overwrite": False, "resume": False, **options})


def test_resume_wants_a_run(tmp_path):
    with pytest.raises(InputError, match="holds no run"):
        RunDirectory(tmp_path).start(RESOLVED, overwrite=False, resume=True)


@pytest.mark.parametrize("told_by", ["history", "model", "sittings"])
def test_resume_wants_the_checkpoints_of_the_results(tmp_path, told_by):
    run = RunDirectory(tmp_path)
    run.start(RESOLVED, overwrite=False, resume=False)
    run.record(sittings=[{"step": 0}])
    run.start(RESOLVED, overwrite=False, resume=True)  # ended before its first checkpoint
    if told_by == "sittings":
        run.record(sittings=[{"step": 0}, {"step": 7}])
    else:
        getattr(run, told_by).write_text("old")
    with pytest.raises(InputError, match=r"none of the checkpoints.*--overwrite"):
        run.start(RESOLVED, overwrite=False, resume=True)
    (run.checkpoints / "000000007").mkdir(parents=True)
    run.start(RESOLVED, overwrite=False, resume=True)


def test_one_process_at_a_time_trains_in_a_directory(tmp_path):
    run = RunDirectory(tmp_path / "new" / "run")
    with run.locked(resume=False):
        with (
            pytest.raises(InputError, match="another training is at work there"),
            run.locked(False),
        ):
            pass
        with pytest.raises(Interrupted, match="go on with --resume"), run.locked(resume=True):
            pass
    with run.locked(resume=True):
        pass


def test_a_directory_that_knows_no_locks_is_warned_of(tmp_path, monkeypatch, caplog):
    def unknown(path):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "locked", unknown)
    with RunDirectory(tmp_path).locked(resume=False):
        assert "cannot be locked (No locks available)" in caplog.text


def test_resume_names_all_options_that_differ(tmp_path):
    run = RunDirectory(tmp_path)
    run.start(RESOLVED, overwrite=False, resume=False)
    changed = {"seed": 3, "warm_up": {"epochs": 5}, "model": "nn2"}
    with pytest.raises(InputError) as refused:
        run.start(RESOLVED | {"config": changed, "fingerprint": "x"}, overwrite=False, resume=True)
    for difference in (
        "config.seed (1 there, 3 now)",
        "config.warm_up.epochs (2 there, 5 now)",
        "config.model (None there, nn2 now)",
        "fingerprint (ab there, x now)",
    ):
        assert difference in str(refused.value)


def test_options_that_an_earlier_version_had_not_are_none(tmp_path):
    run = RunDirectory(tmp_path)
    run.start(RESOLVED, overwrite=False, resume=False)
    now = {**RESOLVED["config"], "model_options": {}}
    run.start(RESOLVED | {"config": now}, overwrite=False, resume=True)
    now["model_options"] = {"strides": 2}
    with pytest.raises(InputError, match=r"config.model_options.strides \(None there, 2 now\)"):
        run.start(RESOLVED | {"config": now}, overwrite=False, resume=True)


def test_options_that_an_earlier_version_had_not_count_as_their_defaults(tmp_path):
    run, defaults = RunDirectory(tmp_path), plain(TrainConfig())
    old = {name: value for name, value in defaults.items() if name != "validation_pictures"}
    old["descent"] = {name: old["descent"][name] for name in old["descent"] if name != "clip_by"}
    del old["warm_up"]["sampling"]
    run.start(RESOLVED | {"config": old}, overwrite=False, resume=False)
    run.start(RESOLVED | {"config": defaults}, overwrite=False, resume=True)
    defaults["validation_pictures"] = 500
    told = r"differs in config.validation_pictures \(2000 there, 500 now\);"
    with pytest.raises(InputError, match=told):
        run.start(RESOLVED | {"config": defaults}, overwrite=False, resume=True)


def test_what_suits_a_machine_may_change_with_a_warning(tmp_path, caplog):
    run, before = RunDirectory(tmp_path), {"threads": 0, "jit": "loss", "steps_per_execution": 1}
    run.start(RESOLVED | {"config": before}, overwrite=False, resume=False)
    now = {"threads": 8, "jit": "on", "steps_per_execution": 10}
    for name in before:
        changed = RESOLVED | {"config": {**before, name: now[name], "deterministic": True}}
        run.record(config={**before, "deterministic": True})
        with pytest.raises(InputError, match=rf"config\.{name} \({before[name]} there"):
            run.start(changed, overwrite=False, resume=True)
    run.record(config=before)
    run.start(RESOLVED | {"config": before}, overwrite=False, resume=True)
    assert caplog.text == ""
    run.start(RESOLVED | {"config": now}, overwrite=False, resume=True)
    assert "config.threads (0 there, 8 now), config.jit (loss there, on now)" in caplog.text
    assert run.recorded("config") == before  # until it has gone on with the others


def test_a_run_that_did_not_say_who_only_steered_goes_on(tmp_path):
    run = RunDirectory(tmp_path)
    before = {"seen_people": ["Ada", "Bo"]}
    run.start(RESOLVED | {"dataset": before}, overwrite=False, resume=False)
    now = RESOLVED | {"dataset": {**before, "steering_people": ["Bo"]}}
    run.start(now, overwrite=False, resume=True)
    assert run.recorded("dataset") == before
    now["dataset"]["seen_people"] = ["Ada"]
    with pytest.raises(InputError, match=r"dataset\.seen_people"):
        run.start(now, overwrite=False, resume=True)


def test_when_checkpoints_are_written_may_change_without_a_word(tmp_path, caplog):
    run = RunDirectory(tmp_path)
    before = {"checkpoint": {"steps": 5}, "recovery": {"rollbacks": 0}}
    run.start(RESOLVED | {"config": before}, overwrite=False, resume=False)
    now = {"checkpoint": {"steps": 9}, "recovery": {"rollbacks": 2}}
    run.start(RESOLVED | {"config": now}, overwrite=False, resume=True)
    assert caplog.text == ""


def test_a_run_and_its_dataset_may_have_moved(tmp_path):
    run = RunDirectory(tmp_path)
    before = RESOLVED | {"config": {"seed": 1, "dataset": "data/att", "output": "runs/att"}}
    run.start(before, overwrite=False, resume=False)
    moved = RESOLVED | {"config": {"seed": 1, "dataset": "/disk/att", "output": "../runs/att"}}
    run.start(moved, overwrite=False, resume=True)
    with pytest.raises(InputError, match=r"fingerprint \(ab there, cd now\)"):
        run.start(moved | {"fingerprint": "cd"}, overwrite=False, resume=True)


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--output"):
        RunDirectory(tmp_path / "file" / "run").start(RESOLVED, overwrite=False, resume=False)


def test_versions_and_revision_are_recorded():
    assert {"python", "tensorflow", "keras", "scipy", "facenet-tf"} <= versions().keys()
    assert git_revision()
    assert processor() and "\n" not in processor()


def test_plain_resolves_nested_values():
    nested = {"config": Preprocessing(size=72), "list": (Path("a"), 1)}
    resolved = plain(nested)
    assert resolved["config"]["size"] == 72
    assert resolved["list"] == ["a", 1]


def test_history_is_what_it_is_said_to_be(tmp_path):
    run = RunDirectory(tmp_path)
    lines = [{"epoch": "1", "loss": "0.5"}, {"epoch": "2", "loss": "0.4", "val_auc": "0.8"}]
    run.publish_history(lines)
    assert run.history.read_text().split() == ["epoch,loss,val_auc", "1,0.5,", "2,0.4,0.8"]
    before = run.history.stat().st_mtime_ns
    run.publish_history(lines)
    assert run.history.stat().st_mtime_ns == before
    run.publish_history(lines[:1])
    assert run.history.read_text().split() == ["epoch,loss", "1,0.5"]
    run.publish_history([])
    assert not run.history.exists()


def test_the_model_becomes_a_copy_that_shares_nothing(tmp_path):
    run, best = RunDirectory(tmp_path), tmp_path / "best"
    best.write_text("weights")
    run.publish_model(best, checksums.of_file(best))
    assert run.model.read_text() == "weights"
    run.model.write_text("changed by hand")
    assert best.read_text() == "weights"
    run.publish_model(best, checksums.of_file(best))
    assert run.model.read_text() == "weights"


def test_the_table_of_people_is_what_it_is_said_to_be(tmp_path):
    run = RunDirectory(tmp_path)
    run.publish_identity_errors("identity\nMüller\n")
    assert run.identity_errors.read_text(encoding="utf-8") == "identity\nMüller\n"
    run.publish_identity_errors("")
    assert list(tmp_path.iterdir()) == []
