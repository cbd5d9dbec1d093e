"""Which operator, and which of its arms, makes the next proposal."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import Field

from evoengine.component import Component


@dataclass(slots=True)
class _Memory:
    arms: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """By arm: reward, missed reward, cost, number of tries, time of the last update."""
    time: int = 0


class Bandit(Component):
    """A discounted, budgeted Thompson sampler over operators' arms.

    Thompson sampling on reward per cost (Xia et al. 2015, arXiv:1505.00146) with a discount of what was
    seen long ago (Raj & Kalyani 2017, arXiv:1707.09727). A reward is between 0 and 1; a cost is counted in
    judged calls, at least 1, never in seconds.

    Attributes:
        discount: what a record's weight is multiplied by at each later record.
        explore: the share of choices that are made uniformly.
    """

    discount: float = Field(default=0.999, gt=0.0, le=1.0)
    explore: float = Field(default=0.1, ge=0.0, le=1.0)

    @cached_property
    def _memory(self) -> _Memory:  # cached properties are read ten times faster than private attributes
        return _Memory()

    def open(self, arms: Sequence[tuple[str, str]]) -> None:
        """Makes it know these arms, (operator, arm) each, and nothing about them."""
        self._memory.arms = {arm: [0.0] * 5 for arm in arms}
        self._memory.time = 0

    def choose(self, rng: random.Random) -> tuple[str, str]:
        """The arm for a proposal."""
        arms = list(self._memory.arms)
        if len(arms) == 1:
            return arms[0]
        if rng.random() < self.explore:
            return arms[int(rng.random() * len(arms))]
        return max(arms, key=lambda arm: self._worth(arm, rng))

    def _worth(self, arm: tuple[str, str], rng: random.Random) -> float:
        reward, missed, cost, tries, since = self._memory.arms[arm]
        weight: float = self.discount ** (self._memory.time - since)
        # one imagined try at the average price of a plain evaluation, half won
        price = (1.0 + weight * cost) / (1.0 + weight * tries)
        drawn: float = rng.betavariate(0.5 + weight * reward, 0.5 + weight * missed)
        return drawn / price

    def learn(self, arm: tuple[str, str], reward: float, calls: int) -> None:
        """Takes in what a proposal brought (0 to 1) and what it was paid with, judged calls."""
        memory = self._memory
        memory.time += 1
        kept = memory.arms.get(arm)
        if kept is None:  # a record of an operator that is no longer among the campaign's
            return
        weight = self.discount ** (memory.time - kept[4])
        kept[:4] = [weight * value for value in kept[:4]]
        kept[0] += reward
        kept[1] += 1.0 - reward
        kept[2] += max(1, calls)
        kept[3] += 1.0
        kept[4] = memory.time

    def state(self) -> dict[str, Any]:
        """What it has learnt, as JSON values."""
        return {"time": self._memory.time, "arms": [[*arm, *kept] for arm, kept in self._memory.arms.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a `state`."""
        self._memory.time = state["time"]
        for operator, arm, *kept in state["arms"]:
            self._memory.arms[operator, arm] = kept
