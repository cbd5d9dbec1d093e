"""The interface of selectors."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import Any

from evoengine.component import Component
from evoengine.types import Elite, Elites, Insertion, Record, Selection

__all__ = ["Elites", "Selection", "Selector"]


class Selector(Component, ABC):
    """Chooses parents among elites. One instance serves one island.

    A subclass writes `draw`, or `select` where parents depend on each other.
    """

    @abstractmethod
    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        """One elite. `elites` is never empty."""

    def select(self, elites: Elites, rng: random.Random, n: int) -> Selection:
        """Two parents (the second differs from the first where it can) and up to `n` other elites as inspirations."""
        first = self.draw(elites, rng)
        if len(elites) == 1:
            return Selection(parents=(first,))
        chosen = [first]
        for _ in range(4 * (n + 1)):
            if len(chosen) == n + 2:
                break
            other = self.draw(elites, rng)
            if all(other.number != one.number for one in chosen):
                chosen.append(other)
        if len(chosen) == 1:  # a selector that keeps to one elite: any other will do
            other = elites[rng.randrange(len(elites))]
            if other.number != first.number:
                chosen.append(other)
        return Selection(parents=tuple(chosen[:2]), inspirations=tuple(chosen[2:]))

    def observe(self, record: Record, insertion: Insertion) -> None:
        """Is told of every record of its island, in order; what it learns must follow from these alone."""

    def state(self) -> dict[str, Any]:
        """What it has learnt, as JSON values."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a `state`."""
