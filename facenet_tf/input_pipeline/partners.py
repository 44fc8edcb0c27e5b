"""Groups into which those come together who were confused with one another.

Smirnov et al., Doppelganger Mining for Face Representation Learning, ICCVW 2017: a batch is drawn
at random, and beside those drawn come the people most like them. Wang et al., How to Train Triplet
Networks with 100K Identities?, ICCVW 2017, find them by mean embeddings, as `training.confusion`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facenet_tf.input_pipeline.permutations import Groups

# Turns of partners are numbered from here, where those drawn never come.
_FIRST_TURN = 2**40


@dataclass(frozen=True)
class GroupsWithPartners:
    """Groups of `size`: those drawn, then partners of the first of them, and partners of partners.

    How often an item is drawn is that of `drawn`, whatever the partners are. Where nobody has a
    partner left who is not in the group yet, `others` fill it up.

    Attributes:
        drawn: groups of fewer than `size`.
        others: groups of `size`.
        partners: int [items, n], in each row the items that may be its partners, then -1.
        size: of the groups.
        choice: from the number of a group to uint64 [size], which partner each member brings.
    """

    drawn: Groups
    others: Groups
    partners: np.ndarray
    size: int
    choice: Callable[[int], np.ndarray]

    def group(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Items int64 [size] of group `number`, and the number of this turn of each, int64 [size].

        A pure function of `number`, at the cost of a group of `drawn` and one of `others`.
        """
        drawn, turns = self.drawn.group(number)
        members = drawn.tolist()
        for member, choice in zip(members, self.choice(number).tolist(), strict=False):
            if len(members) == self.size:
                break
            own = self.partners[member]
            own = own[own >= 0]
            if len(own) and (partner := int(own[choice % len(own)])) not in members:
                members.append(partner)  # the loop comes to it: a partner brings one too
        if len(members) < self.size:
            spare = self.others.group(number)[0].tolist()
            members += [each for each in spare if each not in members][: self.size - len(members)]
        added = np.full(self.size - len(turns), _FIRST_TURN + number)
        return np.array(members), np.concatenate([turns, added])
