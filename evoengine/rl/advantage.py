"""The interface of advantage estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from evoengine.component import Component
from evoengine.rl.reward import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """The rewards of one group and what an estimator may weigh them by; all arrays (n,), n >= 1.

    Attributes:
        rewards: finite.
        valid: whether the rollout's child has a score of its own; booleans.
        tokens: how many tokens were sampled.
        ratios: the importance ratio of the whole rollout, of the policy that is trained to the one that sampled it; 1
            where they are the same.
    """

    rewards: Array
    valid: Array
    tokens: Array
    ratios: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Advantages:
    """What an estimator made of one group.

    Attributes:
        values: (n,), finite.
        kept: (n,), booleans: which rollouts are trained on.
        facts: what is worth looking at, by name (the temperature that `entropic` found).
    """

    values: Array
    kept: Array
    facts: dict[str, float]


class Advantage(Component, ABC):
    """Says by how much each rollout of a group did better than was to be expected.

    Attributes:
        smallest: rollouts that a group needs at least; smaller ones are not trained on.
    """

    smallest: ClassVar[int] = 2

    @abstractmethod
    def of(self, groups: Sequence[Returns]) -> list[Advantages]:
        """The advantages of each group of a batch, in the same order.

        Raises:
            ValueError: a reward is not finite.
        """
