import pytest

from facenet_tf.quality import Quality
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.filters import LIMITS, refusal

FACE = Quality(face_size=40.0, sharpness=50.0, exposure=0.4, yaw=-30.0, roll=20.0)
DREADFUL = Quality(face_size=1.0, sharpness=0.0, exposure=0.0, yaw=90.0, roll=-180.0)


def test_none_is_refused_unless_asked_for():
    assert refusal(FACE, 0.9, BuildConfig()) is None
    assert refusal(DREADFUL, 0.0, BuildConfig()) is None


@pytest.mark.parametrize(
    ("options", "outcome", "detail"),
    [
        ({"min_confidence": 0.91}, "unsure", "confidence 0.90000"),
        ({"min_sharpness": 50.1}, "blurred", "sharpness 50.0"),
        ({"min_exposure": 0.41}, "too_dark", "exposure 0.400"),
        ({"max_exposure": 0.39}, "too_bright", "exposure 0.400"),
        ({"max_yaw": 29.0}, "turned", "yaw -30.0 degrees"),
        ({"max_roll": 19.0}, "tilted", "roll 20.0 degrees"),
    ],
)
def test_each_option_has_its_outcome(options, outcome, detail):
    assert refusal(FACE, 0.9, BuildConfig(**options)) == (outcome, detail)
    assert LIMITS[outcome] == "--" + next(iter(options)).replace("_", "-")


def test_a_value_at_the_limit_will_do():
    limits = BuildConfig(
        min_confidence=0.9,
        min_sharpness=50.0,
        min_exposure=0.4,
        max_exposure=0.4,
        max_yaw=30.0,
        max_roll=20.0,
    )
    assert refusal(FACE, 0.9, limits) is None
