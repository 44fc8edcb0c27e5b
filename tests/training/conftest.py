"""What whole runs share that are about the run, not about its network."""

import pytest

from facenet_tf.training import progress
from facenet_tf.training.config import TrainConfig
from tests.training.small import FEATURES, small_body


@pytest.fixture(scope="module")
def small_bodies():
    """Runs of the default architecture train a small body, which is traced and saved in no time,
    and so do those that begin with the weights of one."""
    real = progress.build_model

    def build(config, crops):
        if config.model not in (TrainConfig().with_body().model, "small"):
            return real(config, crops)
        assert config.embedding_size == FEATURES
        return small_body(norm=True, crops=crops)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "build_model", build)
        yield
