"""What archives have in common that keep their elites on a shelf."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pydantic import Field

from evoengine.archives._shelf import Shelf
from evoengine.archives.base import Archive
from evoengine.types import Cell, Content, Elite, Elites, Scored


class ShelvedArchive(Archive):
    """An archive whose cells have integer keys; what is left to a kind of archive is `open`, `add`, `coverage`.

    Attributes:
        qd_offset: subtracted from each score in `qd_score`, so that more elites never lower the sum.
    """

    qd_offset: float = Field(default=0.0, allow_inf_nan=False)

    @cached_property
    def _shelf(self) -> Shelf:  # cached properties are read ten times faster than pydantic's private attributes
        return Shelf(self._cell)

    def _cell(self, key: int) -> Cell:
        """The cell of a key."""
        return (key,)

    def clear(self) -> None:
        self._shelf.clear()

    @property
    def elites(self) -> Elites:
        return self._shelf

    def __iter__(self) -> Iterator[Elite]:  # type: ignore[override]  # pydantic iterates over fields
        return iter(self._shelf)

    def __len__(self) -> int:
        return len(self._shelf)

    def numbers(self) -> list[int]:
        return self._shelf.numbers()

    def best(self) -> Elite | None:
        return self._shelf.best()

    def leaders(self, count: int) -> list[tuple[int, Content, Scored]]:
        return self._shelf.leaders(count)

    def sample(self, rng: random.Random, n: int = 1) -> list[Elite]:
        return self._shelf.sample(rng, n)

    @property
    def qd_score(self) -> float:
        return self._shelf.total - self.qd_offset * len(self._shelf)

    def state(self) -> dict[str, Any]:
        return self._shelf.state()

    def restore(self, state: dict[str, Any], elites: dict[int, tuple[Content, Scored]]) -> None:
        self._shelf.restore(state, elites)
