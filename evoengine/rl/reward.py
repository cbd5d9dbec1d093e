"""The interface of reward shapers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evoengine.component import Component

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of one group, "higher is better".

    Attributes:
        children: (n,), n >= 1, of the rollouts that have one; finite.
        parent: that of the program that was to be improved.
        shown: (m,), m >= 1, of all programs that the prompt showed, the parent's among them.
    """

    children: Array
    parent: float
    shown: Array


class Reward(Component, ABC):
    """Turns scores into rewards: what a valid child is worth.

    The ladder cuts what comes of it at both ends (see `Ladder.harmful` and `Ladder.most`), so a reward is best when
    what is no gain lies near 0 and what is a large one near 1.
    """

    @abstractmethod
    def of(self, scores: Scores) -> Array:
        """The rewards (n,) of the children; finite wherever the scores are, and never lower for a higher score."""


def gains(scores: Array, over: float) -> Array:
    """How far scores lie above another one; the largest float where the difference of huge ones passes it."""
    with np.errstate(over="ignore"):
        return np.nan_to_num(scores - over, nan=np.nan)
