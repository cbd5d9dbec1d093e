"""Selection from the Pareto front over instances (GEPA, Agrawal et al. 2025, arXiv:2507.19457)."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from evoengine.selectors.base import Selector
from evoengine.types import Elite, Elites


@dataclass(slots=True)
class _Fronts:
    elites: Elites | None = None
    version: int = -1
    survivors: list[Elite] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)


class Pareto(Selector):
    """An elite with probability proportional to the number of instances on which no other is better.

    For each instance the elites with the best score on it are its front. An elite all of whose fronts hold
    another one is dominated and dropped, the lowest score first (of equal scores the youngest), until
    nobody can be dropped. An elite without scores by instance has its score as its only instance, and one
    that lacks an instance is not on that front.

    The fronts are computed anew, in O(N times instances), when the elites have changed, and a draw between
    two changes costs O(log N).
    """

    @cached_property
    def _fronts(self) -> _Fronts:
        return _Fronts()

    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        fronts = self._fronts
        if fronts.elites is not elites or fronts.version != elites.version:
            weights = front_counts([elites[place] for place in range(len(elites))])
            fronts.survivors = [elite for elite, _ in weights]
            fronts.steps = list(accumulate(count for _, count in weights))
            fronts.elites, fronts.version = elites, elites.version
        return fronts.survivors[bisect_right(fronts.steps, int(rng.random() * fronts.steps[-1]))]


def front_counts(elites: list[Elite]) -> list[tuple[Elite, int]]:
    """The elites that are not dominated, by record number, each with the number of fronts that it is on."""
    best: dict[str, float] = {}
    for elite in elites:
        for name, value in _instances(elite).items():
            if name not in best or value > best[name]:
                best[name] = value
    on = [(elite, [name for name, value in _instances(elite).items() if value == best[name]]) for elite in elites]
    on = [(elite, names) for elite, names in on if names]
    members = dict.fromkeys(best, 0)
    for _, names in on:
        for name in names:
            members[name] += 1
    kept = []
    # One pass is enough: dropping an elite only takes support from the others, so who could not be dropped
    # once cannot be dropped later.
    for elite, names in sorted(on, key=lambda one: (one[0].scored.score, -one[0].number)):
        if all(members[name] > 1 for name in names):
            for name in names:
                members[name] -= 1
        else:
            kept.append((elite, len(names)))
    return sorted(kept, key=lambda one: one[0].number)


def _instances(elite: Elite) -> Mapping[str, float]:
    return elite.scored.instances or {"score": elite.scored.score}
