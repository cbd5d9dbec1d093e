"""Thompson sampling over clades (Huxley-Goedel Machine, Wang et al. 2025, arXiv:2510.21614)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import Field

from evoengine.selectors._tree import Lineage, Standing, TreeSelector, numbered, unnumbered
from evoengine.types import Elites, Insertion, Record, Scored


@dataclass(slots=True)
class _Clades:
    lineage: Lineage = field(default_factory=Lineage)
    scores: dict[int, float] = field(default_factory=dict)
    won: dict[int, int] = field(default_factory=dict)
    lost: dict[int, int] = field(default_factory=dict)


class CladeThompson(TreeSelector):
    """The elite with the highest draw from Beta(tau (1 + S), tau (1 + F)), S and F counted over its clade.

    A clade is a record with all its descendants; each of them is one result: a success when its score is
    higher than its parent's, else a failure, as is a child without a score. A root has no result of its
    own. Of a parent that came by migration this island never saw a score: its child is a success when the
    archive takes it in. Every result is added once to each clade that it is in, when its record comes; a
    draw changes nothing.

    Attributes:
        tau: sharpens the draws; 1 is plain Thompson sampling.
    """

    tau: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)

    @cached_property
    def _clades(self) -> _Clades:
        return _Clades()

    def values(self, pool: Sequence[Standing], elites: Elites, rng: random.Random) -> list[float]:
        won, lost, tau = self._clades.won, self._clades.lost, self.tau
        return [
            rng.betavariate(tau * (1 + won.get(one.elite.number, 0)), tau * (1 + lost.get(one.elite.number, 0)))
            for one in pool
        ]

    def successes(self, number: int) -> int:
        """S of the clade of a record."""
        return self._clades.won.get(number, 0)

    def failures(self, number: int) -> int:
        """F of the clade of a record."""
        return self._clades.lost.get(number, 0)

    def observe(self, record: Record, insertion: Insertion) -> None:
        clades, number, parents = self._clades, record.number, record.candidate.parents
        score = record.evaluation.score if isinstance(record.evaluation, Scored) else None
        if score is not None and insertion:
            clades.scores[number] = score
        if not parents:
            return
        before = clades.scores.get(parents[0])
        success = score is not None and (bool(insertion) if before is None else score > before)
        results = clades.won if success else clades.lost
        for node in clades.lineage.line(parents[0]):
            results[node] = results.get(node, 0) + 1
        if insertion:
            results[number] = results.get(number, 0) + 1
            clades.lineage.add(number, parents[0])

    def state(self) -> dict[str, Any]:
        clades = self._clades
        return {
            "lineage": clades.lineage.state(),
            "scores": numbered(clades.scores),
            "won": numbered(clades.won),
            "lost": numbered(clades.lost),
        }

    def restore(self, state: dict[str, Any]) -> None:
        clades = self._clades
        clades.lineage.restore(state["lineage"])
        clades.scores = unnumbered(state["scores"])
        clades.won, clades.lost = unnumbered(state["won"]), unnumbered(state["lost"])
