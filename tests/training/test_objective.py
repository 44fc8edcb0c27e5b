"""From the text of a stage's loss to functions with settled options, or a line on why not."""

import pytest

from facenet_tf.errors import InputError
from facenet_tf.losses import find_loss, losses
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


def test_weights_are_numbers_of_any_spelling():
    _, centre, arcface = terms("cosface + 3e-3*centre + .5*arcface")
    assert (centre.weight, arcface.weight) == (0.003, 0.5)


def test_two_rules_of_one_loss_are_told_apart_by_their_rule():
    first, second = terms(
        "triplet/batch_hard + triplet/semi_hard", options={"triplet/semi_hard.margin": 0.4}
    )
    assert (first.options["margin"], second.options["margin"]) == ("soft", 0.4)


@pytest.mark.parametrize("title", [loss.title for loss in losses() if loss.name == "triplet"])
def test_every_triplet_rule_takes_the_soft_margin(title):
    """Whether or not it is the rule's default."""
    (term,) = terms(title, margin="soft")
    assert term.options["margin"] == "soft"


def test_a_scale_that_is_the_length_of_an_embedding_is_a_number_on_unit_vectors():
    assert terms("sphereface")[0].options["scale"] == 30
    assert terms("n_pairs")[0].options["scale"] == 16
    assert terms("sphereface", scale=12)[0].options["scale"] == 12
    assert terms("sphereface", options={"scale": "norm"})[0].options["scale"] == "norm"


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
        ({"loss": "triplet"}, "triplet needs a mining rule: choose .*batch_hard"),
        ({"loss": "triplet", "mining": "luck"}, "triplet has no mining rule 'luck': choose"),
        (
            {"loss": "cosface", "mining": "batch_hard"},
            "--main.mining batch_hard: cosface mines nothing; give no",
        ),
        (
            {"loss": "triplet/batch_hard", "mining": "batch_hard"},
            "triplet/batch_hard names its rule itself",
        ),
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
        ({"loss": "cosface", "options": {"scale": "norm"}}, "give a number$"),
        ({"loss": "sphereface", "options": {"scale": "big"}}, "give a number or norm"),
        ({"loss": "triplet/semi_hard", "options": {"margin": "hard"}}, "give a number or soft"),
        (
            {"loss": "triplet/semi_hard", "options": {"distance": "far"}},
            "give plain or squared or cosine",
        ),
        ({"loss": "cosface + 0*centre"}, "centre has weight 0"),
        (
            {"loss": "triplet/batch_hard + triplet/semi_hard", "margin": 0.3},
            "triplet/batch_hard.margin or triplet/semi_hard.margin .and --main.margin None",
        ),
        ({"loss": "triplet/batch_hard", "images_per_identity": 1}, "images-per-identity 1"),
        ({"loss": "tfa_semihard", "images_per_identity": 1}, "images-per-identity 1"),
        ({"loss": "tfa_semihard", "memory": 64}, "tfa_semihard looks into no memory"),
        ({"loss": "cosface", "memory": 64}, "--main.memory 64: cosface looks into no memory"),
        ({"loss": "triplet/batch_hard", "sampled_classes": 9}, "--main.sampled-classes 9"),
        ({"loss": "cosface", "sampled_classes": 63}, "63: give as many as a batch has crops, 64"),
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


@pytest.mark.parametrize(
    ("loss", "mining"),
    [("triplet", "semi_hard"), ("contrastive", None)],
    ids=["the same loss keeps its rule", "another loss has another"],
)
def test_the_short_form_keeps_the_rule_of_the_loss_it_names(loss, mining):
    config = TrainConfig(main=Stage("triplet", epochs=1, mining="semi_hard"), loss=loss)
    settled = config.with_loss()
    assert (settled.main.loss, settled.main.mining) == (loss, mining)
