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
        """Those that decide: its own people's, or else those brought; None where nobody chose."""
        return self.own if isinstance(self.own, Thresholds) else self.brought

    @property
    def chosen_by(self) -> str:
        """Who chose `used`, for the protocol of a figure."""
        return self._said_of(self.used)

    @property
    def by_far(self) -> dict[str, float]:
        """Threshold by false accept rate, the highest rate first; empty where nobody chose any."""
        usable = {} if self._of_fars is None else self._of_fars.usable
        return {str(far): usable[far] for far in sorted(usable, reverse=True)}

    @property
    def by_far_chosen_by(self) -> str:
        """Who chose `by_far`."""
        return self._said_of(self._of_fars)

    @property
    def _of_fars(self) -> Thresholds | None:
        """`used`, unless its people are too few to carry any FAR, and the others are not."""
        used, brought = self.used, self.brought
        if used is not None and brought is not None and not used.usable and brought.usable:
            return brought
        return used

    def _said_of(self, chosen: Thresholds | None) -> str:
        if chosen is None:
            return NOBODY
        if chosen is self.own:
            steered = chosen.dataset.get("steered_people")
            of_these = f", {steered} of whom steered a training" if steered else ""
            return f"chosen by the dataset's {chosen.dataset['people']} validation people{of_these}"
        return (
            f"chosen by {chosen.dataset['people']} people of {chosen.dataset['name']} (the "
            "thresholds came with the model)"
        )
