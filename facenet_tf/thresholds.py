"""Up to which distance two pictures show one person: what an evaluation wrote beside a model.

A threshold belongs to the weights that it was calibrated for, and to how they were used, so that
the file names both and is refused for others. Beside a model lie those for one look at each crop.
"""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from facenet_tf.errors import InputError
from facenet_tf.records import checksums, durable

FORMAT = 1
DISTANCE = "squared Euclidean distance of unit vectors; accepted up to the threshold"
ONE_LOOK: dict[str, Any] = {"flip_average": False, "jitter": 0}
"""How embeddings are made where nothing is averaged, and what files that do not say it are for."""


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Operating points of a model.

    Attributes:
        model_sha256: of the file or directory that holds the model.
        dataset: `name` and `fingerprint` of the dataset whose validation people chose, and how many
            `people`, `pictures`, `genuine_pairs` and `impostor_pairs` these gave; `steered_people`:
            how many of them are known to have steered the training.
        points: by false accept rate: `threshold`, `threshold_interval`, `far`, `far_interval`,
            `tar`, `impostor_pairs`; or `skipped`: why there is none.
        balanced: the threshold of the highest mean of TAR and 1 - FAR.
        same_person: `slope` and `intercept` of the probability that a pair shows one person, as a
            logistic function of the distance, where both answers are equally likely beforehand.
        embedding: how the embeddings were made, by the name of the option: what was averaged and,
            of models that do not say it themselves, how their crops are made.
    """

    model_sha256: str
    dataset: dict[str, Any]
    points: dict[str, dict[str, Any]]
    balanced: float
    same_person: dict[str, float]
    embedding: dict[str, Any] = dataclasses.field(default_factory=ONE_LOOK.copy)

    def at(self, far: float) -> float:
        """The squared distance up to which two pictures are taken for one person.

        Raises:
            InputError: no threshold was calibrated for this false accept rate.
        """
        usable = self.usable
        found = next((value for key, value in usable.items() if math.isclose(key, far)), None)
        if found is None:
            known = ", ".join(f"{key:g}" for key in usable) or "none"
            raise InputError(
                f"no threshold is calibrated for a FAR of {far:g} (there are: {known}): give it to "
                "evaluate.py as --fars, with a dataset whose validation people carry it"
            )
        return found

    @property
    def usable(self) -> dict[float, float]:
        """Threshold by false accept rate, the smallest rate first."""
        there = {
            float(far): float(point["threshold"])
            for far, point in self.points.items()
            if "skipped" not in point
        }
        return dict(sorted(there.items()))

    def unfit_for(self, model: Path, embedding: dict[str, Any]) -> str | None:
        """Why they hold for no embeddings that a model gives in this way; None where they do."""
        if not self.model_sha256:
            return "was calibrated for embeddings of a file, which do not name their model"
        own = checksums.of_path(model)
        if self.model_sha256 != own:
            return (
                f"was calibrated for other weights (SHA-256 {self.model_sha256[:12]}…, {model} has "
                f"{own[:12]}…)"
            )
        found = difference(self.embedding, embedding)
        return found and f"was calibrated for embeddings with {found}"

    def write(self, path: Path) -> None:
        """Write the file in one step; raises OSError."""
        durable.write_json(path, self.as_json())

    def as_json(self) -> dict[str, Any]:
        """What the file holds."""
        return {"format": FORMAT, "distance": DISTANCE, **dataclasses.asdict(self)}


def difference(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """The first option by which embeddings were made in two ways, as "jitter = 2, not 0"; None
    where there is none."""
    return next(
        (
            f"{name} = {one.get(name)}, not {other.get(name)}"
            for name in sorted({*one, *other})
            if one.get(name) != other.get(name)
        ),
        None,
    )


def place_beside(model: Path) -> Path:
    """The file that belongs to a model: `model.keras` has `model.keras.thresholds.json`, so that a
    `model.tflite` or a directory `model` in the same place has another."""
    if model.name in ("", ".."):  # a SavedModel that is named from within
        model = model.resolve()
    return model.with_name(f"{model.name}.thresholds.json")


def read(path: Path) -> Thresholds:
    """The thresholds in a file.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT:
            raise InputError(f"{path} has format {content['format']}: this version reads {FORMAT}")
        fields = (field.name for field in dataclasses.fields(Thresholds))
        thresholds = Thresholds(**{name: content[name] for name in fields if name in content})
        _ = thresholds.usable, float(thresholds.balanced), thresholds.dataset["fingerprint"]
        _ = dict(thresholds.embedding)
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing: evaluate.py writes it beside a run's model"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({error!r}): run evaluate.py again") from error
    return thresholds


def of_model(model: Path) -> Thresholds | None:
    """The thresholds beside a model's file, if there are any.

    Raises:
        InputError: the file is damaged, or was calibrated for other weights, or for embeddings
            that are averaged.
    """
    path = place_beside(model)
    return read_for(model, path, ONE_LOOK) if path.is_file() else None


def read_for(model: Path, path: Path, embedding: dict[str, Any]) -> Thresholds:
    """The thresholds in a file, which must be those of the model, used in this way.

    Raises:
        InputError: see `read`; or they were calibrated for other weights, or another way.
    """
    thresholds = read(path)
    reason = thresholds.unfit_for(model, embedding)
    if reason is not None:
        raise InputError(f"{path} {reason}: run evaluate.py on the model again, or remove the file")
    return thresholds
