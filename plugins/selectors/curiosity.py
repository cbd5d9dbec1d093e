"""Selection by curiosity (Cully & Demiris 2018, arXiv:1708.09251)."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

from pydantic import Field

from evoengine.selectors._tree import numbered, unnumbered
from evoengine.selectors.base import Selector
from evoengine.types import Elite, Elites, Insertion, Record

_EXACT = 64


@dataclass(slots=True)
class _Merits:
    of: dict[int, float] = field(default_factory=dict)
    highest: float = 0.0


class Curiosity(Selector):
    """An elite with probability proportional to how well its children have done with the archive.

    A parent's curiosity grows by `reward` when the archive takes a child in, shrinks by `penalty` when it
    does not, and never falls below 0; an elite without children has `initial`, so that it can be drawn at
    all. When all have 0, each is as probable as any other.

    Up to 64 elites the draw is exact. Beyond, it is by rejection with at most 64 tries, and when none is
    accepted one of those tried is drawn in proportion: the cost does not grow with the archive, and the
    distribution is exact as long as the mean curiosity is not far below the highest ever seen.
    """

    initial: float = Field(default=1.0, ge=0.0, allow_inf_nan=False)
    reward: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)
    penalty: float = Field(default=0.5, ge=0.0, allow_inf_nan=False)

    @cached_property
    def _merits(self) -> _Merits:
        return _Merits()

    def curiosity(self, number: int) -> float:
        """The curiosity of a record."""
        return self._merits.of.get(number, self.initial)

    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        size, highest = len(elites), max(self._merits.highest, self.initial)
        if size <= _EXACT:
            return self._among([elites[place] for place in range(size)], rng)
        tried = []
        for _ in range(_EXACT):
            elite = elites[int(rng.random() * size)]
            if rng.random() * highest < self.curiosity(elite.number):
                return elite
            tried.append(elite)
        return self._among(tried, rng)

    def _among(self, elites: list[Elite], rng: random.Random) -> Elite:
        steps = list(accumulate(self.curiosity(elite.number) for elite in elites))
        if steps[-1] <= 0.0:
            return elites[int(rng.random() * len(elites))]
        return elites[min(bisect_right(steps, rng.random() * steps[-1]), len(elites) - 1)]

    def observe(self, record: Record, insertion: Insertion) -> None:
        if record.candidate.parents:
            parent, merits = record.candidate.parents[0], self._merits
            value = max(0.0, self.curiosity(parent) + (self.reward if insertion else -self.penalty))
            merits.of[parent] = value
            merits.highest = max(merits.highest, value)

    def state(self) -> dict[str, Any]:
        return {"curiosity": numbered(self._merits.of), "highest": self._merits.highest}

    def restore(self, state: dict[str, Any]) -> None:
        self._merits.of, self._merits.highest = unnumbered(state["curiosity"]), state["highest"]
