"""What is drafted for training: which rollouts belong together, and whom they ask."""

from __future__ import annotations

from dataclasses import dataclass

from evoengine.pacing import Steps
from evoengine.rl.allocation import Allocation
from evoengine.rl.reward import Reward
from evoengine.rl.training import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """The parts of training that decide what is drafted.

    Attributes:
        smallest: rollouts that a group needs at least to be learnt from.
    """

    training: Training
    allocation: Allocation
    reward: Reward
    smallest: int

    @property
    def steps(self) -> Steps:
        """When what is drafted."""
        return Steps(self.training.group * self.training.groups, self.training.max_staleness)
