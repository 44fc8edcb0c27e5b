"""Another network's vectors of the same pictures, in crops of its own."""

from __future__ import annotations

from pathlib import Path

from facenet_tf.errors import InputError
from facenet_tf.evaluation import embedding
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.subject import open_weights
from facenet_tf.input_pipeline.degraded import check_degradations
from facenet_tf.records.dataset import FaceDataset


class Beside:
    """The network and the dataset of `--beside`.

    Args:
        config: of the evaluation.
        source: weights, as `pretrained.load` takes them.
        directory: dataset directory of the same pictures in this network's crops.

    Attributes:
        described: what evaluation.json says of it, beside its figures.

    Raises:
        InputError: network or dataset cannot be opened, or their preprocessings differ.
    """

    def __init__(self, config: EvaluateConfig, source: str, directory: Path) -> None:
        self._config, self._dataset = config, FaceDataset.open(directory)
        check_degradations(config.degrade, self._dataset.preprocessing)
        self._model, weights = open_weights(source, "--beside", self._dataset)
        self.described = {
            "protocol": (
                f"weights {source}, trained on: {weights['trained_on']}; the people measured here: "
                f"{weights['seen']}; crops of {directory}"
            ),
            "weights": weights,
            "dataset": {
                "name": self._dataset.manifest["name"],
                "fingerprint": self._dataset.fingerprint,
                "preprocessing_fingerprint": self._dataset.preprocessing.fingerprint(),
            },
        }

    def vectors(self, roster: Roster) -> Vectors:
        """Vectors of the roster's pictures; one that has no record in this dataset has none.

        Raises:
            InputError: a picture is not in this dataset.
        """
        try:
            own = roster.as_in(Roster.of(self._dataset))
        except KeyError as error:
            raise InputError(
                f"--beside {self._dataset.directory}: it has no picture {error.args[0]}; build it "
                f"from the same pictures as {self._config.dataset}"
            ) from error
        config = self._config
        embed = embedding.network_embedder(
            self._model, config.flip_average, config.jitter, config.seed
        )
        return embedding.embed_roster(embed, self._dataset, own, config.batch_size, config.degrade)
