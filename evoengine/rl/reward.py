"""The interface of reward shapers, and what rollouts without a score are worth."""

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
    """Turns scores into rewards: what a valid child is worth."""

    @abstractmethod
    def of(self, scores: Scores) -> Array:
        """The rewards (n,) of the children; finite wherever the scores are."""
