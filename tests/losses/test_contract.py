"""Every loss against every check; the summary of the run has the table."""

import pytest

from facenet_tf.losses import losses

from .contract import CHECKS, NOT_APPLICABLE, combinations
from .twins import TWINS

ALL = combinations()


@pytest.mark.parametrize(
    ("loss", "check"), ALL, ids=[f"{loss.title}-{check}" for loss, check in ALL]
)
def test_contract(loss, check):
    CHECKS[check](loss)


def test_every_loss_has_a_twin():
    assert {loss.title for loss in losses()} == set(TWINS)


def test_reasons_are_of_losses_and_checks_that_exist():
    titles = {loss.title for loss in losses()}
    assert all(title in titles and check in CHECKS for title, check in NOT_APPLICABLE)
