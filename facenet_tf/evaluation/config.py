"""What `evaluate.py` can be told."""

import dataclasses
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options
from facenet_tf.evaluation.options.clustering import ClusteringOptions
from facenet_tf.evaluation.options.distractors import DistractorsOptions
from facenet_tf.evaluation.options.errors import ErrorsOptions
from facenet_tf.evaluation.options.identification import IdentificationOptions
from facenet_tf.evaluation.options.projection import ProjectionOptions
from facenet_tf.evaluation.options.projector import ProjectorOptions
from facenet_tf.input_pipeline.degraded import degradation_of
from facenet_tf.pretrained.dlib_package import WEIGHTS, package_file

LISTS = {"lfw_view1": "LFW's pairsDevTest.txt", "lfw_view2": "LFW's pairs.txt"}

_SMALLEST = {
    "batch_size": 1,
    "unseen_people": 2,
    "repeats": 2,
    "draws": 2,
    "bootstrap": 0,
    "seed": 0,
    "jitter": 0,
}


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
    """Measure a trained model on people it never saw."""

    run: Positional[Path] = Path("runs/att")
    """Run directory of train.py; its model.keras is measured. With --weights the dataset comes
    first."""
    dataset: Positional[Path] = Path("data/att")
    """Dataset directory of build_tfrecords.py; its preprocessing must be the model's."""
    weights: str | None = None
    """Weights that others have trained, in place of a run: dlib (needs the extra `pretrained`), or
    a file that docs/guide.md lists."""
    output: Path | None = None
    """Evaluation directory to write; without it RUN/evaluation, with weights
    runs/WEIGHTS/DATASET."""
    seed: int = 0
    """Of the repeated splits, the cross-validation, the bootstrap and t-SNE."""
    batch_size: int = 64
    """Crops in one forward pass."""
    flip_average: bool = False
    """Average the embeddings of crop and mirrored crop, scaled to length 1 again."""
    jitter: int = 0
    """Average the embeddings of so many slightly turned, resized and shifted versions of a crop,
    every second one mirrored, instead of its own; 0: its own."""
    include_training: bool = False
    """Also export the embeddings of the dataset's training people; no figure uses them."""
    unseen_people: int = 10
    """How many test people the SVM tells apart: those with the most pictures."""
    repeats: int = 50
    """Repeated stratified 80/20 splits beside the named one."""
    svm_c: tuple[float, ...] = (0.1, 1.0, 10.0, 100.0, 1000.0)
    """Values of C that the cross-validated choice tries."""
    svm_kernels: tuple[Literal["linear", "rbf"], ...] = ("linear", "rbf")
    """Kernels that the cross-validated choice tries."""
    few_shot: tuple[int, ...] = (1, 2, 5)
    """Pictures to enrol of each test person, who name the others; without a number no figures."""
    draws: int = 20
    """How often enrolled pictures, and galleries, are drawn; mean and deviation are over the
    draws."""
    degrade: tuple[str, ...] = ()
    """What happens to each crop before it is embedded, in order: grey, or low_resolution:SIDE,
    which reduces it to SIDE pixels a side (area averages) and brings it back (linear)."""
    protocol: Literal["none", "lfw_view1", "lfw_view2"] = "none"
    """Published list of pairs: View 1 is for development, View 2 for the final figure."""
    pairs: Path | None = None
    """File of the protocol's pairs: LFW's pairsDevTest.txt (View 1) or pairs.txt (View 2)."""
    list_only: bool = False
    """Measure the list of the protocol alone: no figures over the test people, and pictures that no
    pair names are not embedded."""
    fars: tuple[float, ...] = (1e-1, 1e-2, 1e-3)
    """False accept rates at which the true accept rate is given, where enough pairs carry it."""
    bootstrap: int = 200
    """Draws of people behind each interval over identities; 0: none."""
    baselines: bool = True
    """The same figures for the untrained network and for raw pixels."""
    beside: tuple[str, Path] | None = None
    """Another network for comparison, and the dataset directory of the same pictures in its crops:
    dlib (needs the extra `pretrained`), a run directory or a file of weights."""
    identification: IdentificationOptions = dataclasses.field(default_factory=IdentificationOptions)
    """Whom of a gallery of unseen people a picture shows."""
    distractors: DistractorsOptions = dataclasses.field(default_factory=DistractorsOptions)
    """The same with strangers in the gallery."""
    clustering: ClusteringOptions = dataclasses.field(default_factory=ClusteringOptions)
    """Pictures of unseen people sorted into people."""
    errors: ErrorsOptions = dataclasses.field(default_factory=ErrorsOptions)
    """The worst errors, with their pictures in the report."""
    projection: ProjectionOptions = dataclasses.field(default_factory=ProjectionOptions)
    """The unseen people's embeddings drawn in the plane."""
    projector: ProjectorOptions = dataclasses.field(default_factory=ProjectorOptions)
    """Embeddings and crops for TensorBoard's Projector."""

    @property
    def output_directory(self) -> Path:
        """Where the evaluation is written."""
        if self.output is not None:
            return self.output
        if self.weights is not None:
            return Path("runs", Path(self.weights).stem, self.dataset.name)
        return self.run / "evaluation"

    def resolved(self) -> "EvaluateConfig":
        """The config with its directories in their places: with weights of others the first
        argument is the dataset."""
        default = type(self).run
        if self.weights is None or self.run == default:
            return self
        return dataclasses.replace(self, run=default, dataset=self.run)

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if self.protocol != "none" and self.pairs is None:
            raise InputError(
                f"--protocol {self.protocol} needs --pairs: give {LISTS[self.protocol]}"
            )
        if self.protocol == "none" and self.pairs is not None:
            raise InputError(f"--pairs {self.pairs} needs --protocol: give lfw_view1 or lfw_view2")
        if self.list_only and self.protocol == "none":
            raise InputError("--list-only needs --protocol: give lfw_view1 or lfw_view2")
        if "dlib" in (self.weights, self.beside and self.beside[0]):
            package_file(WEIGHTS)
        if self.weights is None and not (self.run / "model.keras").is_file():
            raise InputError(
                f"{self.run / 'model.keras'} is missing: name a run directory, or train one with "
                f"python train.py --output {self.run}"
            )
        for name, least in _SMALLEST.items():
            if getattr(self, name) < least:
                option = "--" + name.replace("_", "-")
                raise InputError(f"{option} is {getattr(self, name)}: give {least} or more")
        if self.seed >= 2**32:
            raise InputError(f"--seed is {self.seed}: give less than 2^32")
        if not self.svm_c or min(self.svm_c) <= 0 or not self.svm_kernels:
            raise InputError("--svm-c and --svm-kernels: give positive values of C and a kernel")
        if not all(0 < far <= 1 for far in self.fars):
            raise InputError("--fars: each must lie above 0 and at most at 1")
        if any(count < 1 for count in self.few_shot):
            raise InputError("--few-shot: each number of pictures must be 1 or more")
        for name in self.degrade:
            degradation_of(name)
        for field in dataclasses.fields(self):
            group = getattr(self, field.name)
            if isinstance(group, Options):
                group.check()
