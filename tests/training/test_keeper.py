"""A checkpoint holds all that a step reads; what others read of a run follows the checkpoint."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import models
from facenet_tf.errors import InputError, Interrupted
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training import keeper
from facenet_tf.training.checkpoints import Checkpointing
from facenet_tf.training.config import Stage
from facenet_tf.training.heads import build_head
from facenet_tf.training.keeper import Keeper, RunState, not_finite_in
from facenet_tf.training.run_directory import RunDirectory
from facenet_tf.training.trainer import EmbeddingTrainer, compile_checked


class Confused:
    """A state of epochs that is an array."""

    name = "confused"

    def __init__(self, pairs=()):
        self.pairs = np.array(pairs, np.int32)

    def at_epoch_end(self, epoch, logs):
        return False

    def state(self):
        return {"pairs": self.pairs}

    def restore(self, state):
        self.pairs = state["pairs"]


def make_trainer(loss="cosface", model=None):
    """With all that keeps a state: dropout, norms, prototypes, a memory, slots, metrics."""
    keras.utils.set_random_seed(0)
    options = {"embedding_size": 8, "width": 4, "dropout": 0.5}
    model = model or models.build("residual_small", preprocessing=Preprocessing(size=32), **options)
    stage = Stage(loss, epochs=1, memory=6 if loss != "cosface" else 0)
    trainer = EmbeddingTrainer(model, build_head(stage, 3, 8, seed=0), "off")
    compile_checked(trainer, keras.optimizers.AdamW(1e-2), "off")
    return trainer


def take_steps(trainer, count):
    random = np.random.default_rng(0)
    for _ in range(count):
        trainer.train_step(
            {
                "image": tf.constant(random.integers(0, 255, (6, 32, 32, 3)), tf.uint8),
                "label": tf.constant([0, 0, 1, 1, 2, 2]),
                "source": tf.range(6),
            }
        )


def everything(trainer):
    """All variables, by other ways than the checkpoint finds them."""
    kept = [value for value in vars(trainer.head).values() if isinstance(value, tf.Variable)]
    found = [*trainer.embedding_model.variables, *trainer.head.variables, *kept]
    found += [*trainer.optimizer.variables]
    found += [variable for metric in trainer.metrics for variable in metric.variables]
    return [*{id(variable): variable for variable in found}.values()]


def value_of(variable):
    return tf.convert_to_tensor(variable).numpy()


def values(trainer):
    return [value_of(variable) for variable in everything(trainer)]


@pytest.mark.parametrize("loss", ["cosface", "triplet/batch_hard"])
def test_a_checkpoint_brings_back_every_variable(tmp_path, loss):
    trainer, confused = make_trainer(loss), Confused([[1, 2]])
    take_steps(trainer, 2)
    before = values(trainer)
    assert len(before) > 60
    run = RunDirectory(tmp_path)
    Keeper(run, Checkpointing()).save(RunState(step=5), 1, trainer, [confused])
    for variable in everything(trainer):
        now = tf.convert_to_tensor(variable)
        variable.assign(tf.cast(tf.fill(now.shape, 3), now.dtype))
    keep, forgetful = Keeper(run, Checkpointing()), Confused()
    assert keep.newest().step == 5
    keep.restore(1, trainer, [forgetful])
    for now, then in zip(values(trainer), before, strict=True):
        np.testing.assert_array_equal(now, then)
    np.testing.assert_array_equal(forgetful.pairs, [[1, 2]])


@pytest.mark.parametrize("change", ["another variable", "another shape", "another type"])
def test_a_checkpoint_of_other_variables_is_the_users_line(tmp_path, change):
    trainer, run = make_trainer(), RunDirectory(tmp_path)
    Keeper(run, Checkpointing()).save(RunState(step=5), 1, trainer, [])
    if change == "another variable":
        trainer.head.another = tf.Variable(1.0)
    else:
        trainer.head.signatures = tf.Variable([1.0])
        Keeper(run, Checkpointing()).save(RunState(step=5), 1, trainer, [])
        changed = [1.0, 2.0] if change == "another shape" else [1]
        trainer.head.signatures = tf.Variable(changed)
    keep = Keeper(run, Checkpointing())
    keep.newest()
    with pytest.raises(InputError, match=r"^--resume: \S+000000005 is of another .*") as refused:
        keep.restore(1, trainer, [])
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500


def test_a_checkpoint_whose_states_of_epochs_lack_an_array_is_the_users_line(tmp_path):
    class Others(Confused):
        def state(self):
            return {"people": self.pairs}

    trainer, run = make_trainer(), RunDirectory(tmp_path)
    Keeper(run, Checkpointing()).save(RunState(step=5), 1, trainer, [Others()])
    keep = Keeper(run, Checkpointing())
    keep.newest()
    with pytest.raises(InputError, match=r"^--resume: \S+000000005 is of another .*'pairs'"):
        keep.restore(1, trainer, [Confused()])


def test_what_a_later_version_noted_is_left_out_with_a_warning(caplog):
    facts = dataclasses.asdict(RunState(step=5, best=0.5))
    assert RunState.of(facts) == RunState(step=5, best=0.5) and caplog.text == ""
    assert RunState.of({**facts, "mood": 1, "aim": 2}) == RunState(step=5, best=0.5)
    assert "of another version: its aim, mood is left out" in caplog.text


def test_a_checkpoint_of_an_earlier_version_is_taken():
    facts = dataclasses.asdict(RunState(step=5, best=0.5, since_best=2))
    del facts["stage_best"], facts["since_stage_best"]
    assert RunState.of(facts) == RunState(step=5, best=0.5, since_best=2)


def test_seconds_are_of_all_sittings(tmp_path, monkeypatch):
    now = [10.0]
    monkeypatch.setattr(keeper.time, "monotonic", lambda: now[0])
    keep, state = Keeper(RunDirectory(tmp_path), Checkpointing()), RunState(seconds=100.0)
    now[0] = 12.0
    assert keep.seconds(state) == 102.0


def test_another_stage_takes_over_the_model_alone(tmp_path):
    first, run = make_trainer(), RunDirectory(tmp_path)
    take_steps(first, 1)
    keep = Keeper(run, Checkpointing())
    keep.save(RunState(), 1, first, [Confused([[1, 2]])])
    body = [value_of(variable) for variable in first.embedding_model.variables]
    take_steps(first, 1)
    second, fresh = make_trainer("triplet/batch_hard", first.embedding_model), Confused()
    keep.restore(2, second, [fresh])
    assert int(second.optimizer.iterations) == 0
    assert fresh.pairs.size == 0
    for now, then in zip(second.embedding_model.variables, body, strict=True):
        np.testing.assert_array_equal(value_of(now), then)


@pytest.fixture
def without_variables(monkeypatch):
    """Checkpoints of plain files: what is written of a trainer is tested above."""

    class Nothing:
        def write(self, prefix):
            with open(prefix, "w") as file:  # noqa: PTH123 (TensorFlow takes a string)
                file.write("weights")

    monkeypatch.setattr(keeper, "_variables", lambda trainer: Nothing())


def test_all_that_is_plain_comes_back(tmp_path, without_variables):
    rollbacks = [{"at": 3, "to": 1, "rate": 0.1}]
    figures = {"best": 1 / 3, "since_best": 2, "stage_best": 0.25, "since_stage_best": 1}
    said = {"history": [{"epoch": "1"}], "identity_errors": "identity\nann\n"}
    state = RunState(7, end_is_due=True, **figures, stopped=True, rollbacks=rollbacks, **said)
    Keeper(RunDirectory(tmp_path), Checkpointing()).save(state, 1, None, [])
    RunDirectory(tmp_path).identity_errors.write_text("of an epoch that a kill has undone")
    found = Keeper(RunDirectory(tmp_path), Checkpointing()).newest()
    assert found.seconds > 0
    assert dataclasses.replace(found, seconds=0.0) == dataclasses.replace(state, seconds=0.0)
    assert RunDirectory(tmp_path).identity_errors.read_text() == state.identity_errors


def test_a_run_without_checkpoints_begins_anew(tmp_path):
    assert Keeper(RunDirectory(tmp_path), Checkpointing()).newest() == RunState()


def test_the_best_model_goes_from_checkpoint_to_checkpoint(tmp_path, without_variables):
    run = RunDirectory(tmp_path)
    keep = Keeper(run, Checkpointing())
    keep.save(RunState(0), 1, None, [])
    assert not run.model.exists()
    for step, better in ((3, "first"), (4, None), (6, None), (9, "second")):
        if better:
            run.candidate.write_text(better)
            assert run.model.exists() == (step > 3)
        keep.save(RunState(step), 1, None, [])
        assert not run.candidate.exists()
        assert run.model.read_text() == (better or "first")
    before = keep.last.directory.with_name("000000006")
    assert (before / "model.keras").read_text() == "first"
    run.model.unlink()
    run.candidate.write_text("of an epoch that was undone")
    Keeper(run, Checkpointing()).newest()
    assert run.model.read_text() == "second"
    assert not run.candidate.exists()


def flip_a_byte(path):
    """In place, as a disk does it: another name of the same file shows it too."""
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))


def test_a_damaged_best_model_leaves_the_checkpoint_before(tmp_path, without_variables):
    run = RunDirectory(tmp_path)
    keep = Keeper(run, Checkpointing())
    run.candidate.write_text("the best")
    keep.save(RunState(3), 1, None, [])
    keep.save(RunState(6), 1, None, [])
    flip_a_byte(keep.last.directory / "model.keras")
    assert Keeper(run, Checkpointing()).newest().step == 3
    assert run.model.read_text() == "the best"


def test_damage_to_the_best_model_is_not_handed_on(tmp_path, without_variables):
    run = RunDirectory(tmp_path)
    keep = Keeper(run, Checkpointing())
    run.candidate.write_text("the best")
    keep.save(RunState(3), 1, None, [])
    keep.save(RunState(6), 1, None, [])
    flip_a_byte(keep.last.directory / "model.keras")
    with pytest.raises(Interrupted, match=r"000000006/model.keras is damaged.*--resume"):
        keep.save(RunState(9), 1, None, [])
    assert Keeper(run, Checkpointing()).newest().step == 3


def test_no_room_is_no_loss(tmp_path, without_variables, monkeypatch):
    keep = Keeper(RunDirectory(tmp_path), Checkpointing())
    keep.save(RunState(0), 1, None, [])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeper, "_write_states", full)
    with pytest.raises(Interrupted, match=r"No space left on device.*go on with --resume"):
        keep.save(RunState(3), 1, None, [])
    assert keep.newest().step == 0


def test_a_checkpoint_is_due_by_steps_and_by_time(tmp_path, without_variables, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(keeper.time, "monotonic", lambda: now[0])
    keep = Keeper(RunDirectory(tmp_path), Checkpointing(steps=5, minutes=2.0))
    keep.save(RunState(3), 1, None, [])
    assert [keep.due(step) for step in (4, 7, 8, 9)] == [False, False, True, True]
    now[0] = 119.0
    assert not keep.due(4)
    now[0] = 120.0
    assert keep.due(4)
    keep.save(RunState(4), 1, None, [])
    assert not keep.due(5)
    never = Keeper(RunDirectory(tmp_path), Checkpointing(minutes=0.0))
    now[0] = 1e9
    assert not never.due(1000)


def test_whatever_is_not_finite_is_seen():
    trainer = make_trainer("triplet/batch_hard + 0.1*cosface")
    take_steps(trainer, 1)
    assert not_finite_in(trainer) is None
    model, slots = trainer.embedding_model, trainer.optimizer.variables
    statistics = [each for each in model.non_trainable_variables if "variance" in each.name]
    for variable in (model.layers[-2].weights[0], statistics[0], trainer.head.memory[0], slots[-1]):
        before = value_of(variable)
        variable.assign(np.where(before == before.flat[0], np.inf, before))
        assert not_finite_in(trainer) == getattr(variable, "path", variable.name)
        variable.assign(before)
    assert not_finite_in(trainer) is None
