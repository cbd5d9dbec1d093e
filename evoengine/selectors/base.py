"""The interface of selectors."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import Any

from evoengine.component import Component
from evoengine.types import Elites, Insertion, Record, Selection

__all__ = ["Elites", "Selection", "Selector"]


class Selector(Component, ABC):
    """Chooses parents among elites. One instance serves one island."""

    @abstractmethod
    def select(self, elites: Elites, rng: random.Random, n: int) -> Selection:
        """Two parents (the second differs from the first where it can) and up to `n` inspirations.

        `elites` is never empty.
        """

    def observe(self, record: Record, insertion: Insertion) -> None:
        """Is told of every record of its island, in order; what it learns must follow from these alone."""

    def state(self) -> dict[str, Any]:
        """What it has learnt, as JSON values."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a `state`."""
