"""MAP-Elites on a grid (Mouret & Clune 2015, arXiv:1504.04909)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, TypeAlias

from pydantic import PrivateAttr

from evoengine.archives._shelf import Shelf
from evoengine.archives._shelved import ShelvedArchive
from evoengine.types import Cell, Content, Feature, Insertion, Scored

_Axis: TypeAlias = tuple[str, float, float, float, int]
"""A feature's name, low, high, cells per unit and number of cells."""


class Grid(ShelvedArchive):
    """One elite in each cell of a grid over the features.

    Attributes:
        bounds: "fixed" puts what lies outside a feature's bounds into the outermost cell. "adaptive" doubles
            the range on the side where something lay outside, until it is inside, and recomputes all
            cells: an owner is always in the cell of its own features, and of owners that meet in one
            cell the best stays. Doubling keeps old cells whole inside new ones and makes moves rare.
        qd_offset: subtracted from each score in `qd_score`, so that more elites never lower the sum.
    """

    bounds: Literal["fixed", "adaptive"] = "fixed"

    _features: tuple[Feature, ...] = PrivateAttr(default=())

    @cached_property
    def _axes(self) -> list[_Axis]:
        return [_axis(feature, feature.low, feature.high) for feature in self._features]

    @cached_property
    def _strides(self) -> list[tuple[int, int]]:
        """By axis: how much a step adds to the key, and how many steps there are."""
        bins = [feature.bins for feature in self._features]
        return [(math.prod(bins[place + 1 :]), count) for place, count in enumerate(bins)]

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(self._cell, math.prod(feature.bins for feature in self._features))

    def open(self, features: tuple[Feature, ...]) -> None:
        self._features = features
        self.__dict__.pop("_shelf", None)
        self.__dict__.pop("_strides", None)
        self._axes[:] = [_axis(feature, feature.low, feature.high) for feature in features]

    def cell(self, scored: Scored) -> Cell:
        """The cell of a position, under the bounds of this moment.

        Raises:
            KeyError: a feature is missing.
        """
        return self._cell(self._key(scored.features))

    def _key(self, features: Mapping[str, float]) -> int:
        """A cell's places on the axes as the digits of one number: a dictionary finds it faster than a tuple."""
        key = 0
        for name, low, high, scale, bins in self._axes:
            key *= bins
            value = features[name]
            if value >= high:
                key += bins - 1
            elif value > low:
                place = int((value - low) * scale)
                key += place if place < bins else bins - 1
        return key

    def _cell(self, key: int) -> Cell:
        return tuple([key // stride % bins for stride, bins in self._strides])

    def add(self, number: int, content: Content, scored: Scored) -> Insertion:
        if self.bounds == "adaptive":
            self._widen(scored)
        return self._shelf.put(self._key(scored.features), number, content, scored)

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The bounds of this moment, by feature."""
        return {name: (low, high) for name, low, high, _, _ in self._axes}

    @property
    def coverage(self) -> float:
        return len(self) / math.prod(feature.bins for feature in self._features)

    def state(self) -> dict[str, Any]:
        return {"ranges": [[low, high] for _, low, high, _, _ in self._axes], **super().state()}

    def restore(self, state: dict[str, Any], elites: dict[int, tuple[Content, Scored]]) -> None:
        self._axes[:] = [_axis(f, low, high) for f, (low, high) in zip(self._features, state["ranges"], strict=True)]
        super().restore(state, elites)

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
            old = sorted(self, key=lambda e: (-e.scored.score, e.number))
            self.clear()
            for elite in old:
                self._shelf.put(self._key(elite.scored.features), elite.number, elite.content, elite.scored)


def _axis(feature: Feature, low: float, high: float) -> _Axis:
    return feature.name, low, high, feature.bins / (high - low), feature.bins
