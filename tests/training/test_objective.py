"""From the text of a stage's loss to functions with settled options, or a line on why not."""

import pytest

from facenet_tf.errors import InputError
from facenet_tf.losses import find_loss
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.objective import objective


def terms(loss, mining=None, **options):
    return objective(Stage(loss, epochs=1, mining=mining, **options), "main.")


def test_a_loss_alone_has_the_options_of_its_function():
    (term,) = terms("cosface")
    assert term.weight == 1
    assert term.loss is find_loss("cosface")
    assert term.options == {"scale": 64.0, "margin": 0.35}


@pytest.mark.parametrize(
    ("loss", "mining"), [("triplet", "batch_hard"), ("triplet/batch_hard", None)]
)
def test_mining_is_named_beside_or_within(loss, mining):
    (term,) = terms(loss, mining)
    assert term.loss is find_loss("triplet", "batch_hard")


def test_fields_of_the_stage_become_options():
    (term,) = terms("triplet", "batch_hard", margin=0.3, distance="squared")
    assert {**term.loss.options, "margin": 0.3, "distance": "squared"} == term.options
    assert term.loss.options["distance"] == "plain"


@pytest.mark.parametrize("text", ["cosface + 0.25*arcface", "cosface+0.25 * arcface"])
def test_a_sum_has_weights_and_options_by_name(text):
    first, second = terms(text, scale=None, options={"arcface.margin": 0.4, "cosface.scale": 8})
    assert (first.weight, second.weight) == (1, 0.25)
    assert first.options == {"scale": 8, "margin": 0.35}
    assert second.options == {"scale": 64.0, "margin": 0.4}


def test_mining_goes_to_the_loss_of_a_sum_that_has_rules():
    first, second = terms("cosface + 2*triplet", "batch_hard")
    assert (first.loss.title, second.loss.title) == ("cosface", "triplet/batch_hard")


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (
            {"loss": "quintuplet"},
            "--main.loss quintuplet: no loss 'quintuplet': choose",
        ),
        ({"loss": "triplet"}, "triplet with mining None: choose .*batch_hard"),
        ({"loss": "triplet", "mining": "luck"}, "triplet with mining luck: choose"),
        (
            {"loss": "cosface", "mining": "batch_hard"},
            "--main.mining batch_hard: cosface leaves",
        ),
        ({"loss": "triplet/batch_hard", "mining": "batch_hard"}, "leaves no choice"),
        ({"loss": "cosface ++ arcface"}, "give a loss, or a sum"),
        ({"loss": "-1*cosface"}, "give a loss, or a sum"),
        (
            {"loss": "cosface", "distance": "cosine"},
            "--main.distance cosine: no option",
        ),
        ({"loss": "cosface", "options": {"power": 2}}, "--main.options power 2: no option"),
        (
            {"loss": "cosface + arcface", "margin": 0.2},
            "say whose .*cosface.margin or arcface",
        ),
        ({"loss": "cosface", "options": {"scale": "big"}}, "give a number"),
        ({"loss": "triplet/batch_hard", "images_per_identity": 1}, "images-per-identity 1"),
        ({"loss": "cosface", "memory": 64}, "--main.memory 64: cosface compares no pictures"),
        ({"loss": "triplet/batch_hard", "sampled_classes": 9}, "--main.sampled-classes 9"),
        ({"loss": "cosface", "sampled_classes": 9}, "a batch alone has 16"),
        ({"loss": "cosface", "sub_centres": 2}, "cosface has one prototype a person"),
        (
            {"loss": "triplet/batch_hard", "mixup": 0.2},
            "--main.mixup 0.2: triplet/batch_hard knows no picture of two people",
        ),
        ({"loss": "cosface + centre", "mixup": 0.2}, "mixup 0.2: centre knows no"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(stage, reason):
    with pytest.raises(InputError, match=reason):
        objective(Stage(epochs=1, **stage), "main.")


def test_loss_of_the_run_is_short_for_that_of_the_main_stage():
    config = TrainConfig(loss="arcface").with_loss()
    assert (config.main.loss, config.main.mining, config.loss) == ("arcface", None, None)
    assert config.warm_up == TrainConfig().warm_up
    assert TrainConfig(mining="semi_hard").with_loss().main.title == "triplet/semi_hard"
    assert TrainConfig().with_loss() == TrainConfig()
