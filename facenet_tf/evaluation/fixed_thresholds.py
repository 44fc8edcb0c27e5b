"""The thresholds that an evaluation answers yes or no with, chosen before any pair is judged."""

from __future__ import annotations

import dataclasses

from facenet_tf.thresholds import Thresholds

NOBODY = "no validation people whose pairs could choose a threshold"
SAME_PAIRS = "picked on the very pairs that it judges, since no other people could choose it"


@dataclasses.dataclass(frozen=True)
class FixedThresholds:
    """Of one set of vectors.

    Attributes:
        own: chosen by the validation people of the measured dataset; or why there are none.
        brought: of the same model, chosen on another dataset; None where there are none.
    """

    own: Thresholds | str = NOBODY
    brought: Thresholds | None = None

    @property
    def used(self) -> Thresholds | None:
        """Those that decide: its own people's, unless these carry no FAR and the others do;
        None where nobody chose any."""
        chosen = [each for each in (self.own, self.brought) if isinstance(each, Thresholds)]
        return max(chosen, key=lambda each: bool(each.usable), default=None)

    @property
    def chosen_by(self) -> str:
        """Who chose `used`, for the protocol of a figure."""
        used = self.used
        if used is None:
            return NOBODY
        if used is self.own:
            return f"chosen by the dataset's {used.dataset['people']} validation people"
        return (
            f"chosen by {used.dataset['people']} people of {used.dataset['name']} (the thresholds "
            "came with the model)"
        )

    @property
    def by_far(self) -> dict[str, float]:
        """Threshold by false accept rate, the highest rate first; empty where nobody chose any."""
        usable = {} if self.used is None else self.used.usable
        return {str(far): usable[far] for far in sorted(usable, reverse=True)}
