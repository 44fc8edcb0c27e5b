"""What `evaluate.py` can be told."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from tyro.conf import Positional

from facenet_tf.errors import InputError, require_at_least
from facenet_tf.evaluation.inputs import (
    FOREIGN,
    Foreign,
    System,
    is_embeddings,
    is_model_file,
    is_weights,
    kind_of,
)
from facenet_tf.evaluation.options import Options, refuse_unused
from facenet_tf.evaluation.options.all_pairs import AllPairsOptions
from facenet_tf.evaluation.options.bins import BinsOptions
from facenet_tf.evaluation.options.classification import ClassificationOptions
from facenet_tf.evaluation.options.clustering import ClusteringOptions
from facenet_tf.evaluation.options.comparison import ComparisonOptions
from facenet_tf.evaluation.options.distractors import DistractorsOptions
from facenet_tf.evaluation.options.errors import ErrorsOptions
from facenet_tf.evaluation.options.fairness import FairnessOptions
from facenet_tf.evaluation.options.identification import IdentificationOptions
from facenet_tf.evaluation.options.learning_curve import LearningCurveOptions
from facenet_tf.evaluation.options.open_set import OpenSetOptions
from facenet_tf.evaluation.options.operating_points import ThresholdOptions
from facenet_tf.evaluation.options.probabilities import ProbabilitiesOptions
from facenet_tf.evaluation.options.projection import ProjectionOptions
from facenet_tf.evaluation.options.projector import ProjectorOptions
from facenet_tf.evaluation.options.quality import QualityOptions
from facenet_tf.evaluation.options.robustness import RobustnessOptions
from facenet_tf.evaluation.options.templates import TemplatesOptions
from facenet_tf.input_pipeline.degraded import degradation_of
from facenet_tf.pretrained.dlib_package import WEIGHTS, package_file

PairList = Literal[
    "none", "lfw_view1", "lfw_view2", "cfp_ff", "cfp_fp", "agedb_30", "calfw", "cplfw", "pairs"
]
LIST_FILES = {
    "lfw_view1": "LFW's pairsDevTest.txt",
    "lfw_view2": "LFW's pairs.txt",
    "cfp_ff": "the folder of CFP",
    "cfp_fp": "the folder of CFP",
    "agedb_30": "a file with lines PICTURE PICTURE 0 or 1",
    "calfw": "pairs_CALFW.txt",
    "cplfw": "pairs_CPLFW.txt",
    "pairs": "a list of pairs in any of these forms",
}

DEMONSTRATION = Path("data/att")
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
    """What is measured: a run directory of train.py, a .keras, a SavedModel, a .tflite, an .onnx,
    weights of others (see --weights), or embeddings of any system in an .npz or a .csv. With
    --weights the dataset comes first."""
    dataset: Positional[Path | None] = None
    """Dataset directory of build_tfrecords.py, whose preprocessing must be the model's; without it
    data/att, and none at all where only embeddings are measured."""
    weights: str | None = None
    """Weights that others have trained, in place of a run: dlib (needs the extra `pretrained`), or
    a file that docs/training.md lists."""
    output: Path | None = None
    """Evaluation directory to write; without it RUN/evaluation, with weights
    runs/WEIGHTS/DATASET. WEIGHTS is the name of a file in this directory; of others the path, with
    + between folders."""
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
    """What happens to each crop before it is embedded, in order: grey, low_resolution:SIDE,
    which reduces it to SIDE pixels a side (area averages) and brings it back (linear), or blur,
    jpeg, noise, rotation or occlusion with their strength (docs/measuring.md)."""
    protocol: PairList = "none"
    """Published list of pairs: of LFW View 1 for development, View 2 for the final figure; of CFP
    frontal against frontal or profile; AgeDB-30, CALFW, CPLFW; pairs: any other list, as --pairs
    alone is taken to be."""
    pairs: Path | None = None
    """File of the protocol's pairs: LFW's pairsDevTest.txt (View 1) or pairs.txt (View 2), the
    folder of CFP, or a list in any form that docs/measuring.md shows."""
    list_only: bool = False
    """Measure the list of the protocol alone: no figures over the test people, and pictures that no
    pair names are not embedded."""
    fars: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    """False accept rates at which the true accept rate is given, where enough pairs carry it."""
    bootstrap: int = 200
    """Draws of people behind each interval over identities, at least: few people are drawn more
    often; 0: none."""
    baselines: bool = True
    """The same figures for the untrained network and for raw pixels."""
    classical: tuple[Literal["eigenfaces", "fisherfaces", "lbp"], ...] = ()
    """The same figures for methods from before networks, which learn from the dataset's training
    people (lbp needs the extra `classical` and learns nothing)."""
    operating_points: ThresholdOptions = dataclasses.field(default_factory=ThresholdOptions)
    """Thresholds for each of --fars, and where they are kept."""
    classification: ClassificationOptions = dataclasses.field(default_factory=ClassificationOptions)
    """Several classifiers on the SVM's people."""
    open_set: OpenSetOptions = dataclasses.field(default_factory=OpenSetOptions)
    """Unknown people and the reject option."""
    probabilities: ProbabilitiesOptions = dataclasses.field(default_factory=ProbabilitiesOptions)
    """Whether probabilities mean what they say."""
    learning_curve: LearningCurveOptions = dataclasses.field(default_factory=LearningCurveOptions)
    """Accuracy over the number of enrolled pictures."""
    identification: IdentificationOptions = dataclasses.field(default_factory=IdentificationOptions)
    """Whom of a gallery of unseen people a picture shows."""
    distractors: DistractorsOptions = dataclasses.field(default_factory=DistractorsOptions)
    """The same with strangers in the gallery."""
    clustering: ClusteringOptions = dataclasses.field(default_factory=ClusteringOptions)
    """Pictures of unseen people sorted into people."""
    compare: tuple[str, ...] = ()
    """Other systems on the same people and pairs, each as the first argument, dlib, or a file of
    weights; SOURCE@DATASET where its crops are those of another dataset of the same pictures."""
    comparison: ComparisonOptions = dataclasses.field(default_factory=ComparisonOptions)
    """How the differences to the systems of --compare are judged."""
    foreign: Foreign = dataclasses.field(default_factory=Foreign)
    """What a SavedModel, a LiteRT or an ONNX file does not say of itself."""
    fairness: FairnessOptions = dataclasses.field(default_factory=FairnessOptions)
    """The figures group by group."""
    quality: QualityOptions = dataclasses.field(default_factory=QualityOptions)
    """Whether errors fall when the poorest pictures are rejected."""
    robustness: RobustnessOptions = dataclasses.field(default_factory=RobustnessOptions)
    """Curves against pictures that are made worse."""
    all_pairs: AllPairsOptions = dataclasses.field(default_factory=AllPairsOptions)
    """All pairs of the test people's pictures, however many they are."""
    templates: TemplatesOptions = dataclasses.field(default_factory=TemplatesOptions)
    """Sets of pictures compared with sets of pictures, as in IJB."""
    bins: BinsOptions = dataclasses.field(default_factory=BinsOptions)
    """insightface's .bin files."""
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
        if self.weights is None and not is_model_file(self.run):
            return self.run / "evaluation"
        source = Path(self.weights) if self.weights is not None else self.run
        return Path("runs", _name_of(source), self.dataset.name if self.dataset else "embeddings")

    @property
    def needs_pictures(self) -> bool:
        """Whether anything but embeddings is measured."""
        return not all(map(is_embeddings, (self.weights or str(self.run), *self.compare)))

    def resolved(self) -> "EvaluateConfig":
        """The config with its directories in their places: with --weights the first argument is
        the dataset, weights as the first argument are --weights, and without a dataset it is the
        demonstration's, where any is needed. A list of pairs without a protocol is one in any form.

        Raises:
            InputError: beside --weights two datasets are named, or none beside embeddings that are
                compared with a model.
        """
        run, dataset, weights = self.run, self.dataset, self.weights
        if weights is None and is_weights(run):
            run, weights = type(self).run, str(run)
        elif weights is not None and run != type(self).run:
            if dataset is not None:
                raise InputError(f"--weights {weights}: {run} and {dataset}? Name one dataset")
            run, dataset = type(self).run, run
        if dataset is None and self.needs_pictures:
            if weights is None and is_embeddings(run):
                raise InputError(
                    f"{run} has no pictures, which a model of --compare needs: name their dataset "
                    f"second (evaluate.py {run} DATASET …)"
                )
            dataset = DEMONSTRATION
        a_list: PairList = "pairs" if self.pairs is not None else "none"
        protocol = a_list if self.protocol == "none" else self.protocol
        return dataclasses.replace(
            self, run=run, dataset=dataset, weights=weights, protocol=protocol
        )

    def for_the_weights_of(self, chosen: "EvaluateConfig") -> "EvaluateConfig":
        """These defaults, for a command line that may have chosen weights: no run, and a dataset
        only where it names none."""
        if chosen.weights is None:
            return self
        dataset = self.dataset if chosen.run == self.run else None
        return dataclasses.replace(self, run=type(self).run, dataset=dataset)

    def recorded(self) -> dict[str, Any]:
        """The config as evaluation.json has it."""
        return _plain(dataclasses.asdict(self))

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if self.protocol != "none" and self.pairs is None:
            raise InputError(
                f"--protocol {self.protocol} needs --pairs: give {LIST_FILES[self.protocol]}"
            )
        if self.pairs is not None and self.pairs.is_dir() and not self.protocol.startswith("cfp"):
            raise InputError(f"--pairs {self.pairs} is a folder: give --protocol cfp_ff or cfp_fp")
        if self.list_only and self.pairs is None:
            raise InputError("--list-only needs --pairs: give a list of pairs")
        self._check_systems()
        require_at_least(self, _SMALLEST)
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

    def _check_systems(self) -> None:
        if self.dataset is not None and self.dataset.is_file():
            raise InputError(
                f"{self.dataset} is a file and no dataset directory: to compare a system with "
                f"another, give --compare {self.dataset}"
            )
        systems = list(map(System.parse, self.compare))
        sources = [system.source for system in systems]
        if "dlib" in (self.weights, *sources):
            package_file(WEIGHTS)
        measured = [] if self.weights is not None else [str(self.run)]
        foreign = [source for source in measured + sources if kind_of(source) in FOREIGN]
        for source in foreign:
            self.foreign.check(Path(source))
        if not foreign:
            names = tuple(field.name for field in dataclasses.fields(Foreign))
            needed = "a SavedModel, a LiteRT or an ONNX file (others say it themselves)"
            refuse_unused(self.foreign, "foreign", names, needed)
        twice = [text for text, count in Counter(self.compare).items() if count > 1]
        if twice:
            raise InputError(f"--compare {twice[0]} is given more than once: name it once")
        self.comparison.check_for(len(systems) + 1)
        self._check_pictures()

    def _check_pictures(self) -> None:
        """Raises InputError for an option that would do nothing, for want of pictures."""
        measured_alone = self.weights is None and is_embeddings(self.run)
        asked = {
            "flip-average": self.flip_average and not self.needs_pictures,
            "jitter": self.jitter and not self.needs_pictures,
            "degrade": self.degrade and not self.needs_pictures,
            "classical": self.classical and self.dataset is None and not self.needs_pictures,
            "bins.files": self.bins.files and measured_alone,
            "robustness.kinds": self.robustness.kinds and measured_alone,
        }
        for option, in_vain in asked.items():
            if in_vain:
                raise InputError(
                    f"--{option} needs pictures, and only embeddings are measured: leave it out, "
                    "or measure the model and name its dataset"
                )


def _name_of(source: Path) -> str:
    """A folder's name that tells weights or embeddings from those of the same name elsewhere, or
    of another kind."""
    place, here = source.resolve(), Path.cwd()
    inside = place.is_relative_to(here)
    parts = place.relative_to(here).parts if inside else place.parts[1:]
    return "+".join(parts) or place.name


def _plain(value: Any) -> Any:
    """A field of the config as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return str(value) if isinstance(value, Path) else value
