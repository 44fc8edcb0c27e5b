"""Figures in pure NumPy: ROC, AUC, EER, TAR at FAR, folds, intervals, identities; few-shot rules;
identification in galleries; clusters; thresholds on other people; probabilities; unknown people.

Conventions of every function over pairs:

* a pair has a `distance` (any monotone dissimilarity; squared or not is the caller's choice) and a
  flag `genuine`: True when both pictures show one person;
* a pair is accepted when its distance is at most the threshold;
* an infinite distance says that a pair is accepted at no threshold (`+inf`: a picture has no
  vector, a failure to enrol of ISO/IEC 19795-1) or at every one (`-inf`);
* NaN is refused with ValueError.
"""

from facenet_tf.metrics.achieved import AchievedRates, achieved_rates
from facenet_tf.metrics.calibration import (
    Logistic,
    Reliability,
    balanced_weights,
    brier_score,
    brier_score_of_classes,
    fit_logistic,
    reliability,
)
from facenet_tf.metrics.clustering import NOISE, Agreement, ClusterTable, noise_apart
from facenet_tf.metrics.distances import (
    all_pairs,
    all_pairs_distances,
    genuine_pairs,
    listed_distances,
    squared_distances,
    unit_rows,
)
from facenet_tf.metrics.far_threshold import FarThreshold, threshold_at_far
from facenet_tf.metrics.few_shot import (
    nearest_mean,
    nearest_names,
    nearest_neighbour,
    person_means,
    places_among_own,
)
from facenet_tf.metrics.identification import (
    OpenSet,
    Searched,
    average_precisions,
    cumulative_matches,
    search_gallery,
)
from facenet_tf.metrics.identities import IdentityErrors, identity_errors, rank1_accuracy
from facenet_tf.metrics.intervals import bootstrap_identities, wilson_interval
from facenet_tf.metrics.lfw_grid import GridLfw, grid_lfw
from facenet_tf.metrics.many_intervals import TarInterval, reachable_far, tar_intervals
from facenet_tf.metrics.many_pairs import ManyPairs, nearest_impostors, score_all_pairs
from facenet_tf.metrics.nearest_pairs import NearestPairs
from facenet_tf.metrics.outliers import OwnPerson, own_person
from facenet_tf.metrics.pair_probabilities import (
    PairHonesty,
    all_pairs_honesty,
    honesty_intervals,
    pair_honesty,
)
from facenet_tf.metrics.pair_weights import PairWeights
from facenet_tf.metrics.paired import Difference, paired_bootstrap
from facenet_tf.metrics.resampling import (
    Limits,
    TooFewPeople,
    fewest_draws,
    intervals_or_none,
    limits_at_the_end,
    p_value,
    people_intervals,
    people_samples,
    percentiles,
    reflected,
    sureness_of_few,
)
from facenet_tf.metrics.roc import (
    OperatingPoint,
    RocCurve,
    SortedPairs,
    area_under_curve,
    equal_error_rate,
    operating_point,
    overlap,
    roc_curve,
    supports_far,
    tar_at,
    too_few_for_far,
)
from facenet_tf.metrics.separation import Separation, curve_separation, separation
from facenet_tf.metrics.shares import PeopleShares, share_interval
from facenet_tf.metrics.templates import pooled_templates
from facenet_tf.metrics.unknown_people import Rejection, rejection
from facenet_tf.metrics.verification import (
    FoldedAccuracy,
    accuracy_at,
    best_threshold,
    contiguous_folds,
    fold_thresholds,
    folded_accuracy,
)

__all__ = [
    "NOISE",
    "AchievedRates",
    "Agreement",
    "ClusterTable",
    "Difference",
    "FarThreshold",
    "FoldedAccuracy",
    "GridLfw",
    "IdentityErrors",
    "Limits",
    "Logistic",
    "ManyPairs",
    "NearestPairs",
    "OpenSet",
    "OperatingPoint",
    "OwnPerson",
    "PairHonesty",
    "PairWeights",
    "PeopleShares",
    "Rejection",
    "Reliability",
    "RocCurve",
    "Searched",
    "Separation",
    "SortedPairs",
    "TarInterval",
    "TooFewPeople",
    "accuracy_at",
    "achieved_rates",
    "all_pairs",
    "all_pairs_distances",
    "all_pairs_honesty",
    "area_under_curve",
    "average_precisions",
    "balanced_weights",
    "best_threshold",
    "bootstrap_identities",
    "brier_score",
    "brier_score_of_classes",
    "contiguous_folds",
    "cumulative_matches",
    "curve_separation",
    "equal_error_rate",
    "fewest_draws",
    "fit_logistic",
    "fold_thresholds",
    "folded_accuracy",
    "genuine_pairs",
    "grid_lfw",
    "honesty_intervals",
    "identity_errors",
    "intervals_or_none",
    "limits_at_the_end",
    "listed_distances",
    "nearest_impostors",
    "nearest_mean",
    "nearest_names",
    "nearest_neighbour",
    "noise_apart",
    "operating_point",
    "overlap",
    "own_person",
    "p_value",
    "pair_honesty",
    "paired_bootstrap",
    "people_intervals",
    "people_samples",
    "percentiles",
    "person_means",
    "places_among_own",
    "pooled_templates",
    "rank1_accuracy",
    "reachable_far",
    "reflected",
    "rejection",
    "reliability",
    "roc_curve",
    "score_all_pairs",
    "search_gallery",
    "separation",
    "share_interval",
    "squared_distances",
    "supports_far",
    "sureness_of_few",
    "tar_at",
    "tar_intervals",
    "threshold_at_far",
    "too_few_for_far",
    "unit_rows",
    "wilson_interval",
]
