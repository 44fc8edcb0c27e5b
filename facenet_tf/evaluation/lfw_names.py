"""Under which name a figure on LFW may be reported: its results are kept apart by training data.

G. B. Huang and E. Learned-Miller, "Labeled Faces in the Wild: Updates and New Reporting
Procedures", UM-CS-2014-003: two results are comparable only within one of its categories.
"""

from __future__ import annotations

import re
from typing import Any

RESTRICTED_LABEL_FREE = "Image-Restricted, Label-Free Outside Data"
UNRESTRICTED_LABEL_FREE = "Unrestricted, Label-Free Outside Data"
UNRESTRICTED_LABELED = "Unrestricted, Labeled Outside Data"

UNKNOWN = "unknown"
_OF_LFW = re.compile(r"lfw([\W_].*)?", re.IGNORECASE)
"""Names of data sets that are LFW: `lfw`, or what begins so, as the recipes name its views."""
_ALIGNED = "faces found and aligned by networks that others trained (label-free outside data)"


def reporting_name(trained_on: str | None, only_that: bool = True) -> dict[str, str]:
    """The category of a network's figure on LFW, and why.

    Args:
        trained_on: name of the data set whose people it was trained to tell apart, or UNKNOWN;
            None: it learns from no names.
        only_that: it began with fresh weights, not with those of another training.

    Returns:
        `name` of the category, and `why`.
    """
    if trained_on is None:
        why = f"no names are learnt; the threshold comes from pairs of the other folds; {_ALIGNED}"
        return {"name": RESTRICTED_LABEL_FREE, "why": why}
    if only_that and _OF_LFW.fullmatch(trained_on):
        why = f"trained with the names of LFW's own people ({trained_on}) alone; {_ALIGNED}"
        return {"name": UNRESTRICTED_LABEL_FREE, "why": why}
    why = f"trained with the names of people outside LFW ({trained_on})"
    if trained_on == UNKNOWN:
        why = "what it was trained with is not known, and this category allows anything"
    return {"name": UNRESTRICTED_LABELED, "why": why}


def reporting_names(
    run: dict[str, Any], weights: dict[str, str] | None, baselines: dict[str, dict[str, Any]]
) -> dict[str, dict[str, str]]:
    """By vectors: the category of the measured network, of each baseline and each system compared.

    Args:
        run: config.json of the run; empty for weights of others.
        weights: what is known of weights of others; None for a run.
        baselines: those of evaluation.json; those that learn from names say `trained_on`; systems
            that are no baselines have a `source`, and `weights` where these are of others.
    """
    if weights:
        trained = reporting_name(weights["trained_on"])
    else:
        dataset = run.get("dataset", {})
        alone = not run.get("config", {}).get("fine_tuning", {}).get("init") and not dataset.get(
            "seen_before"
        )
        trained = reporting_name(dataset.get("name", UNKNOWN), alone)
    return {"trained": trained, **{name: _of_other(found) for name, found in baselines.items()}}


def _of_other(described: dict[str, Any]) -> dict[str, str]:
    if "weights" in described:
        return reporting_name(described["weights"]["trained_on"])
    return reporting_name(UNKNOWN if "source" in described else described.get("trained_on"))
