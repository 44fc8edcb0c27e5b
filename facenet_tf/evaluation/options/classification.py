"""What the comparison of classifiers can be told: `--classification.…`."""

import dataclasses

from facenet_tf.errors import require
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class ClassificationOptions(Options):
    """Several classifiers on the SVM's people."""

    folds: int = 5
    """Outer folds; in each an SVM chooses C and kernel anew (nested cross-validation). 0: none of
    these figures."""

    def check(self) -> None:
        """Raises InputError for a number of folds that cannot be meant."""
        fits = self.folds == 0 or self.folds >= 2
        require(fits, "--classification.folds", self.folds, "give 2 or more, or 0 for none")
