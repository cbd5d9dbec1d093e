"""An unstructured archive by novelty (Lehman & Stanley 2011, doi:10.1162/EVCO_a_00025).

With local competition as in Cully & Demiris 2018 (arXiv:1708.09251).
"""

from __future__ import annotations

from functools import cached_property
from math import fsum
from typing import Any

from pydantic import Field, PrivateAttr

from evoengine.archives import ShelvedArchive
from evoengine.archives._neighbours import Neighbours
from evoengine.types import Content, Feature, Insertion, Scored


class NoveltyArchive(ShelvedArchive):
    """Elites at free positions: whoever is new enough is taken in, whoever is not competes with the nearest.

    A candidate is new when the mean distance to its `k` nearest elites is above `threshold` and nobody is at
    its very position; features are scaled by their bounds, so that one is the width of the box, and may lie
    outside. One that is not new, or comes when there are `capacity` elites, takes the place of the nearest
    elite (of equally near ones the first that came) if its score is higher. There is no grid: an elite's
    cell is the serial number of its place, which it hands to who replaces it.

    Attributes:
        threshold: novelty that is enough.
        k: how many neighbours count; all of them as long as there are fewer.
        capacity: the largest number of elites.
        reference: without a capacity, how many elites make full coverage.
        qd_offset: subtracted from each score in `qd_score`.
    """

    threshold: float = Field(default=0.05, ge=0.0, allow_inf_nan=False)
    k: int = Field(default=5, ge=1)
    capacity: int | None = Field(default=None, ge=1)
    reference: int = Field(default=1000, ge=1)

    _axes: tuple[tuple[str, float, float], ...] = PrivateAttr(default=())

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(len(self._axes))

    def open(self, features: tuple[Feature, ...]) -> None:
        self._axes = tuple((feature.name, feature.low, feature.high - feature.low) for feature in features)
        self.clear()

    def position(self, scored: Scored) -> tuple[float, ...]:
        """Where a candidate is: 0 to 1 inside a feature's bounds.

        Raises:
            KeyError: a feature is missing.
        """
        features = scored.features
        return tuple((features[name] - low) / width for name, low, width in self._axes)

    def add(self, number: int, content: Content, scored: Scored) -> Insertion:
        position, shelf = self.position(scored), self._shelf
        place = len(shelf)
        if place:
            near = self._neighbours.nearest(position, self.k)
            novelty = fsum(distance for distance, _ in near) / len(near)
            full = self.capacity is not None and place >= self.capacity
            if full or not novelty > self.threshold or near[0][0] == 0.0:
                place = near[0][1]
        insertion = shelf.put(place, number, content, scored)
        if insertion:
            self._neighbours.put(place, position)
        return insertion

    def clear(self) -> None:
        super().clear()
        self.__dict__.pop("_neighbours", None)

    @property
    def coverage(self) -> float:
        """The number of elites over `capacity`, or over `reference` (at most 1): there are no cells to count."""
        return min(1.0, len(self) / (self.capacity or self.reference))

    def state(self) -> dict[str, Any]:
        return {"positions": self._neighbours.state(), **super().state()}

    def restore(self, state: dict[str, Any], elites: dict[int, tuple[Content, Scored]]) -> None:
        super().restore(state, elites)
        self.__dict__.pop("_neighbours", None)
        self._neighbours.restore(state["positions"])
