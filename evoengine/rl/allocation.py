"""The interface of group allocation: how many rollouts each parent of a step is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from evoengine.component import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The rewards that the children of one parent have had so far.

    Attributes:
        count: how many.
        mean: 0 when there are none.
        deviation: of the sample (with n - 1); 0 when there are fewer than two.
    """

    count: int = 0
    mean: float = 0.0
    deviation: float = 0.0


class Allocation(Component, ABC):
    """Divides the rollouts of a step among its groups."""

    @abstractmethod
    def sizes(self, parents: Sequence[Spread], total: int, least: int) -> list[int]:
        """How many rollouts each group is given.

        Args:
            parents: of each group, what is known of its parent.
            total: rollouts in all; at least `least` for each group.
            least: for each group.

        Returns:
            One size for each group, in the same order, each at least `least`, which sum up to `total`. The same
            arguments give the same sizes.
        """
