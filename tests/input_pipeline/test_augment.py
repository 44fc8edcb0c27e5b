"""The options of augmentation."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.augment import Augmentation

STRENGTHS = [field.name for field in dataclasses.fields(Augmentation) if field.name != "enabled"]


def test_the_defaults_are_in_range() -> None:
    Augmentation().check()


@pytest.mark.parametrize("name", STRENGTHS)
@pytest.mark.parametrize("value", [-0.1, 181.0, float("nan")])
def test_every_strength_has_a_range(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"--augmentation.{name.replace('_', '-')} {value}"):
        dataclasses.replace(Augmentation(), **{name: value}).check()


def test_a_share_of_it_is_that_share_of_every_strength_but_the_flip() -> None:
    whole = dataclasses.replace(Augmentation(), **dict.fromkeys(STRENGTHS, 0.4))
    part = dataclasses.asdict(whole.at(0.25))
    assert part.pop("enabled") is True
    assert part.pop("flip") == 0.4
    assert set(part.values()) == {0.1}
    assert whole.at(1.0) == whole
    assert not dataclasses.replace(whole, enabled=False).at(1.0).enabled


def test_configs_can_name_it_without_loading_tensorflow() -> None:
    script = (
        "import sys\n"
        "import facenet_tf.input_pipeline.augment\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
