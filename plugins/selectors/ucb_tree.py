"""UCB over all nodes of the tree of edits (Learning to Self-Evolve, 2026, arXiv:2603.18620)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log, sqrt
from typing import Any

from pydantic import Field

from evoengine.selectors._tree import Standing, TreeSelector, numbered, unnumbered
from evoengine.types import Elites, Insertion, Record


@dataclass(slots=True)
class _Expansions:
    total: int = 0
    of: dict[int, int] = field(default_factory=dict)


class UcbTree(TreeSelector):
    """The elite with the highest r + c sqrt(ln max(1, T) / max(1, n)).

    r is its own score, n how often it was changed, T the sum of n over all nodes: selection is over all
    nodes at once, not only leaves, and children pass nothing up. The paper's scores lie in 0 to 1; here r
    is the share of the other elites that an elite beats (ties count half), so that `c` means the same on
    every scale. A visit is counted when its record comes, with or without a score.

    Attributes:
        c: weight of exploration; 2 in the paper.
    """

    c: float = Field(default=2.0, ge=0.0, allow_inf_nan=False)

    @cached_property
    def _expansions(self) -> _Expansions:
        return _Expansions()

    def values(self, pool: Sequence[Standing], elites: Elites, rng: random.Random) -> list[float]:
        last = max(1, len(elites) - 1)
        explore = self.c * sqrt(log(max(1, self._expansions.total)))
        visits = self._expansions.of
        return [1.0 - one.rank / last + explore / sqrt(max(1, visits.get(one.elite.number, 0))) for one in pool]

    def observe(self, record: Record, insertion: Insertion) -> None:
        if record.candidate.parents:
            parent = record.candidate.parents[0]
            self._expansions.of[parent] = self._expansions.of.get(parent, 0) + 1
            self._expansions.total += 1

    def state(self) -> dict[str, Any]:
        return {"total": self._expansions.total, "visits": numbered(self._expansions.of)}

    def restore(self, state: dict[str, Any]) -> None:
        self._expansions.total, self._expansions.of = state["total"], unnumbered(state["visits"])
