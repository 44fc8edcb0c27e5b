"""What the drops of a schedule refuse."""

import pytest

from facenet_tf.errors import InputError
from facenet_tf.training.config import Stage
from facenet_tf.training.descent import RateDrop


@pytest.mark.parametrize(
    ("schedule", "drop", "message"),
    [
        ("cosine", RateDrop(epochs=(3,)), "--main.drop.epochs: the schedule cosine has none"),
        ("constant", RateDrop(factor=0.1), "--main.drop.factor: the schedule constant has none"),
        ("step", RateDrop(epochs=(3,), patience=2), "--main.drop.patience: the schedule step"),
        ("plateau", RateDrop(epochs=(3,)), "--main.drop.epochs: the schedule plateau has none"),
        ("step", RateDrop(), "--main.drop.epochs: say when"),
        ("step", RateDrop(epochs=(5, 3)), "--main.drop.epochs (5, 3): give rising numbers"),
        ("step", RateDrop(epochs=(0, 3)), "--main.drop.epochs (0, 3): give rising numbers"),
        ("step", RateDrop(epochs=(3, 9)), "--main.drop.epochs (3, 9): the stage has 9"),
        ("step", RateDrop(epochs=(3,), factor=1.5), "--main.drop.factor 1.5"),
        ("plateau", RateDrop(patience=0), "--main.drop.patience 0"),
    ],
)
def test_a_drop_that_makes_no_sense_is_refused(schedule, drop, message):
    stage = Stage("cosface", epochs=9, schedule=schedule, drop=drop)
    with pytest.raises(InputError) as refusal:
        stage.check("main.")
    assert message in str(refusal.value)


def test_what_fits_is_accepted():
    Stage("cosface", 9, schedule="step", drop=RateDrop(epochs=(3, 5.5))).check("main.")
    Stage("cosface", 0, schedule="step", drop=RateDrop(epochs=(3,))).check("main.")
    Stage("cosface", 9, schedule="plateau", drop=RateDrop(factor=0.3, patience=1)).check("main.")
