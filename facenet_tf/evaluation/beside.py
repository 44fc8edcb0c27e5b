"""Another network's vectors of the same pictures, in crops of its own."""

from __future__ import annotations

from facenet_tf import pretrained
from facenet_tf.errors import InputError
from facenet_tf.evaluation import embedding
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.input_pipeline.degraded import check_degradations
from facenet_tf.records.dataset import FaceDataset


class Beside:
    """The network and the dataset of `--beside`.

    Args:
        config: of the evaluation; `beside` is set.

    Raises:
        InputError: network or dataset cannot be opened, or their preprocessings differ.
    """

    def __init__(self, config: EvaluateConfig) -> None:
        assert config.beside is not None
        self._config, (self.source, directory) = config, config.beside
        self._dataset = FaceDataset.open(directory)
        check_degradations(config.degrade, self._dataset.preprocessing)
        self._model = pretrained.load(self.source)
        embedding.check_crops(self._model, f"--beside {self.source}", self._dataset)

    def vectors(self, roster: Roster) -> Vectors:
        """Vectors of the roster's pictures; one that has no record in this dataset has none.

        Raises:
            InputError: a picture is not in this dataset.
        """
        try:
            own = roster.as_in(Roster.of(self._dataset))
        except KeyError as error:
            raise InputError(
                f"--beside {self.source} {self._dataset.directory}: it has no picture "
                f"{error.args[0]}; build it from the same pictures as {self._config.dataset}"
            ) from error
        embed = embedding.network_embedder(self._model, self._config.flip_average)
        return embedding.embed_roster(
            embed, self._dataset, own, self._config.batch_size, self._config.degrade
        )
