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

        Raises:
            ValueError: the total is not enough for `least` in each group, or there is no group to give it to.
        """


def spare(parents: Sequence[Spread], total: int, least: int) -> int:
    """What is left of the total when each group has its least.

    Raises:
        ValueError: as for `Allocation.sizes`.
    """
    left = total - least * len(parents)
    if least < 0 or left < 0 or (left and not parents):
        raise ValueError(f"{total} rollouts cannot be divided among {len(parents)} groups of at least {least}")
    return left


def shared_out(weights: Sequence[float], total: int) -> list[int]:
    """The total in whole parts, proportional to the weights; what rounding leaves goes to the largest remainders.

    Of equal remainders the first come first. Equal shares where no weight is above 0.
    """
    largest = max(weights, default=0.0)
    # as shares of the largest, since the sum of huge weights passes the largest float
    relative = [weight / largest for weight in weights] if largest > 0.0 else [1.0] * len(weights)
    exact = [total * share / sum(relative) for share in relative]
    sizes = [int(part) for part in exact]
    order = sorted(range(len(sizes)), key=lambda place: (sizes[place] - exact[place], place))
    for place in order[: total - sum(sizes)]:
        sizes[place] += 1
    return sizes
