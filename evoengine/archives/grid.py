"""MAP-Elites on a grid (Mouret & Clune 2015, arXiv:1504.04909)."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal, TypeAlias

from pydantic import PrivateAttr

from evoengine.archives._shelf import Shelf
from evoengine.archives.base import Archive
from evoengine.types import Cell, Content, Elite, Elites, Feature, Insertion, Scored

_Axis: TypeAlias = tuple[str, float, float, float, int]
"""A feature's name, low, high, cells per unit and last cell."""


class Grid(Archive):
    """One elite in each cell of a grid over the features.

    Attributes:
        bounds: "fixed" puts what lies outside a feature's bounds into the outermost cell. "adaptive" doubles
            the range on the side where something lay outside, until it is inside, and recomputes all
            cells: an owner is always in the cell of its own features, and of owners that meet in one
            cell the best stays. Doubling keeps old cells whole inside new ones and makes moves rare.
        qd_offset: subtracted from each score in `qd_score`, so that more elites never lower the sum.
    """

    bounds: Literal["fixed", "adaptive"] = "fixed"
    qd_offset: float = 0.0

    _features: tuple[Feature, ...] = PrivateAttr(default=())

    @cached_property
    def _shelf(self) -> Shelf:  # cached properties are read ten times faster than pydantic's private attributes
        return Shelf()

    @cached_property
    def _axes(self) -> list[_Axis]:
        return [_axis(feature, feature.low, feature.high) for feature in self._features]

    def open(self, features: tuple[Feature, ...]) -> None:
        self._features = features
        self._shelf.clear()
        self._axes[:] = [_axis(feature, feature.low, feature.high) for feature in features]

    def cell(self, scored: Scored) -> Cell:
        """The cell of a position, under the bounds of this moment.

        Raises:
            KeyError: a feature is missing.
        """
        features = scored.features
        cell = []
        for name, low, high, scale, top in self._axes:
            value = features[name]
            if value <= low:
                cell.append(0)
            elif value >= high:
                cell.append(top)
            else:
                place = int((value - low) * scale)
                cell.append(place if place < top else top)
        return tuple(cell)

    def add(self, number: int, content: Content, scored: Scored) -> Insertion:
        if self.bounds == "adaptive":
            self._widen(scored)
        return self._shelf.put(self.cell(scored), number, content, scored)

    def clear(self) -> None:
        self._shelf.clear()

    @property
    def elites(self) -> Elites:
        return self._shelf

    def __iter__(self) -> Iterator[Elite]:  # type: ignore[override]  # pydantic iterates over fields
        return iter(self._shelf)

    def __len__(self) -> int:
        return len(self._shelf)

    def best(self) -> Elite | None:
        return self._shelf.best()

    def sample(self, rng: random.Random, n: int = 1) -> list[Elite]:
        return self._shelf.sample(rng, n)

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The bounds of this moment, by feature."""
        return {name: (low, high) for name, low, high, _, _ in self._axes}

    @property
    def coverage(self) -> float:
        return len(self._shelf) / math.prod(feature.bins for feature in self._features)

    @property
    def qd_score(self) -> float:
        return self._shelf.total - self.qd_offset * len(self._shelf)

    def state(self) -> dict[str, Any]:
        return {"ranges": [[low, high] for _, low, high, _, _ in self._axes], **self._shelf.state()}

    def restore(self, state: dict[str, Any], elites: dict[int, tuple[Content, Scored]]) -> None:
        self._axes[:] = [_axis(f, low, high) for f, (low, high) in zip(self._features, state["ranges"], strict=True)]
        self._shelf.restore(state, elites)

    def _widen(self, scored: Scored) -> None:
        moved = False
        for place, (name, low, high, _, _) in enumerate(self._axes):
            value, was = scored.features[name], (low, high)
            while not low <= value <= high:
                width = 2 * (high - low)
                if not math.isfinite(width):
                    break
                low, high = (high - width, high) if value < low else (low, low + width)
            if (low, high) != was:
                self._axes[place] = _axis(self._features[place], low, high)
                moved = True
        if moved:
            old = sorted(self._shelf, key=lambda e: (-e.scored.score, e.number))
            self._shelf.clear()
            for elite in old:
                self._shelf.put(self.cell(elite.scored), elite.number, elite.content, elite.scored)


def _axis(feature: Feature, low: float, high: float) -> _Axis:
    return feature.name, low, high, feature.bins / (high - low), feature.bins - 1
