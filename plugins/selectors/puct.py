"""PUCT with lineage blocking (TTT-Discover, Yuksekgonul et al. 2026, arXiv:2601.16175)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt
from typing import Any

from pydantic import Field

from evoengine.selectors._tree import Lineage, Standing, TreeSelector, numbered, unnumbered
from evoengine.types import Elite, Elites, Insertion, Record, Scored


@dataclass(slots=True)
class _Tree:
    lineage: Lineage = field(default_factory=Lineage)
    total: int = 0
    visits: dict[int, int] = field(default_factory=dict)
    below: dict[int, float] = field(default_factory=dict)


class Puct(TreeSelector):
    """The elite with the highest Q + c * scale * P * sqrt(1 + T/G) / (1 + n/G).

    Q is the best score found below it (its own, when there is none), P its share of linearly falling rank
    weights, `scale` the range of the elites' scores, n the number of changes made to it and to its
    descendants (failed ones too), T the number of all changes, G the size of a group of siblings. Whatever
    is chosen beside it (second parent, inspirations) is no ancestor and no descendant of what was chosen
    before; where all are, there is no second parent.

    Attributes:
        c: weight of exploration.
        group: G.
    """

    c: float = Field(default=1.0, ge=0.0, allow_inf_nan=False)
    group: int = Field(default=1, ge=1)

    @cached_property
    def _tree(self) -> _Tree:
        return _Tree()

    def values(self, pool: Sequence[Standing], elites: Elites, rng: random.Random) -> list[float]:
        tree, size = self._tree, len(elites)
        best, worst = elites.ranked(0).scored.score, elites.ranked(size - 1).scored.score
        explore = self.c * sqrt(1.0 + tree.total / self.group) / (size * (size + 1) / 2)
        values = []
        for one in pool:
            number, score = one.elite.number, one.elite.scored.score
            # halves, since the range of scores of both signs may pass the largest float
            share = explore * (size - one.rank) / (1.0 + tree.visits.get(number, 0) / self.group)
            values.append(tree.below.get(number, score) / 2 + (best / 2 - worst / 2) * share)
        return values

    def apart(self, one: Elite, other: Elite) -> bool:
        return not self._tree.lineage.related(one.number, other.number)

    def visits(self, number: int) -> int:
        """How often a record or one of its descendants was changed."""
        return self._tree.visits.get(number, 0)

    def below(self, number: int) -> float | None:
        """The best score among a record's descendants."""
        return self._tree.below.get(number)

    def observe(self, record: Record, insertion: Insertion) -> None:
        parents = record.candidate.parents
        if not parents:
            return
        tree, score = self._tree, record.evaluation.score if isinstance(record.evaluation, Scored) else None
        tree.total += 1
        for node in tree.lineage.line(parents[0]):
            tree.visits[node] = tree.visits.get(node, 0) + 1
            if score is not None and score > tree.below.get(node, float("-inf")):
                tree.below[node] = score
        if insertion:
            tree.lineage.add(record.number, parents[0])

    def state(self) -> dict[str, Any]:
        tree = self._tree
        return {
            "lineage": tree.lineage.state(),
            "total": tree.total,
            "visits": numbered(tree.visits),
            "below": numbered(tree.below),
        }

    def restore(self, state: dict[str, Any]) -> None:
        tree = self._tree
        tree.lineage.restore(state["lineage"])
        tree.total = state["total"]
        tree.visits, tree.below = unnumbered(state["visits"]), unnumbered(state["below"])
