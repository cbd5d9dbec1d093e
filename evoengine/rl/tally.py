"""What the children of each parent were worth, for who divides rollouts among parents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from evoengine.rl.allocation import Spread


class Tally:
    """Running means and deviations of rewards by parent (Welford 1962, doi:10.1080/00401706.1962.10490022)."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, float, float]] = {}

    def add(self, parent: int, rewards: Iterable[float]) -> None:
        """Takes in the rewards of a parent's children."""
        count, mean, square = self._known.get(parent, (0, 0.0, 0.0))
        for reward in rewards:
            count += 1
            before = reward - mean
            mean += before / count
            square += before * (reward - mean)
        self._known[parent] = (count, mean, square)

    def of(self, parent: int) -> Spread:
        """What is known of a parent."""
        count, mean, square = self._known.get(parent, (0, 0.0, 0.0))
        deviation = math.sqrt(max(0.0, square) / (count - 1)) if count > 1 else 0.0
        return Spread(count=count, mean=mean, deviation=deviation)

    def state(self) -> Any:
        """What `restore` needs, as a JSON value."""
        return {str(parent): list(known) for parent, known in self._known.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up a `state`."""
        self._known = {int(parent): (known[0], known[1], known[2]) for parent, known in state.items()}
