"""Selection by novelty (Lehman & Stanley 2011, doi:10.1162/EVCO_a_00025)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from functools import cached_property
from math import sqrt
from typing import Any

from pydantic import Field

from evoengine.selectors.base import Selector
from evoengine.types import Elite, Elites, Insertion, Record, Scored


class Novelty(Selector):
    """The most novel of a few elites drawn uniformly.

    Novelty is the mean distance to the `k` nearest others of a reference sample in feature space, where each
    feature is scaled by the range in which the island's records and the sample have had it. Both samples
    are of a fixed size, so a draw costs the same at any number of elites.

    Attributes:
        size: how many elites compete.
        k: how many neighbours count.
        reference: the size of the reference sample; all elites when there are no more.
    """

    size: int = Field(default=4, ge=1)
    k: int = Field(default=5, ge=1)
    reference: int = Field(default=64, ge=1)

    @cached_property
    def _ranges(self) -> dict[str, tuple[float, float]]:
        return {}

    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        count = len(elites)
        drawn = [elites[int(rng.random() * count)] for _ in range(self.size)]
        if count <= self.reference:
            others = [elites[place] for place in range(count)]
        else:
            others = [elites[int(rng.random() * count)] for _ in range(self.reference)]
        ranges = dict(self._ranges)
        for one in (*drawn, *others):  # migrants were seen by another island
            _widen(ranges, one.scored.features)
        once = {one.number: one for one in others}.values()
        return max(drawn, key=lambda one: (self._novelty(one, once, ranges), -one.number))

    def _novelty(self, elite: Elite, others: Iterable[Elite], ranges: Mapping[str, tuple[float, float]]) -> float:
        distances = sorted(_distance(elite, other, ranges) for other in others if other.number != elite.number)
        nearest = distances[: self.k]
        return sum(nearest) / len(nearest) if nearest else 0.0

    def observe(self, record: Record, insertion: Insertion) -> None:
        if isinstance(record.evaluation, Scored):
            _widen(self._ranges, record.evaluation.features)

    def state(self) -> dict[str, Any]:
        return {"ranges": {name: list(bounds) for name, bounds in self._ranges.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        self._ranges.clear()
        self._ranges.update((name, (low, high)) for name, (low, high) in state["ranges"].items())


def _widen(ranges: dict[str, tuple[float, float]], features: Mapping[str, float]) -> None:
    for name, value in features.items():
        low, high = ranges.get(name, (value, value))
        if not low <= value <= high or name not in ranges:
            ranges[name] = (min(low, value), max(high, value))


def _distance(one: Elite, other: Elite, ranges: Mapping[str, tuple[float, float]]) -> float:
    mine, theirs = one.scored.features, other.scored.features
    total = 0.0
    for name, value in mine.items():
        low, high = ranges[name]
        # halves, since a range may pass the largest float; a feature that never varied tells nothing
        width = high / 2 - low / 2
        if width > 0.0 and name in theirs:
            total += ((value / 2 - theirs[name] / 2) / width) ** 2
    return sqrt(total)
