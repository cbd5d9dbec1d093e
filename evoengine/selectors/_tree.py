"""What selectors share that see a campaign as a tree, each record a child of its first parent."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from evoengine.selectors.base import Selector
from evoengine.types import Elite, Elites, Selection


class Lineage:
    """First parents by record number. A number without an entry is a root (a seed, or a migrant)."""

    __slots__ = ("_parents",)

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def add(self, number: int, parent: int) -> None:
        """Notes a child; a parent has a lower number, so that no walk goes round in circles."""
        if parent < number:
            self._parents[number] = parent

    def ancestors(self, number: int) -> Iterator[int]:
        """The parent, its parent, and so on: as far as they are known."""
        parents = self._parents
        while (parent := parents.get(number)) is not None:
            yield parent
            number = parent

    def line(self, number: int) -> Iterator[int]:
        """A record and its ancestors, nearest first."""
        yield number
        yield from self.ancestors(number)

    def related(self, one: int, other: int) -> bool:
        """Whether they are the same, or one is an ancestor of the other."""
        old, young = min(one, other), max(one, other)
        for ancestor in self.line(young):
            if ancestor <= old:
                return ancestor == old
        return False

    def state(self) -> list[list[int]]:
        """Children and their parents, as two JSON lists."""
        return [list(self._parents), list(self._parents.values())]

    def restore(self, state: list[list[int]]) -> None:
        """Takes up a `state`."""
        children, parents = state
        self._parents = dict(zip(children, parents, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An elite with its place among all elites.

    Attributes:
        rank: 0 for the best, N - 1 for the worst; equal scores share the mean of their ranks.
    """

    elite: Elite
    rank: float


def standings(elites: Elites, rng: random.Random, limit: int) -> list[Standing]:
    """All elites, best first; of more than `limit` the better half of it, and others drawn uniformly."""
    size = len(elites)
    ranks: list[int] | range = range(size)
    if size > limit:
        top = limit - limit // 2
        ranks = [*range(top), *sorted(rng.sample(range(top, size), limit - top))]
    found, tied, shared = [], range(0), 0.0
    for rank in ranks:
        if rank not in tied:
            tied = elites.ties(rank)
            shared = (tied[0] + tied[-1]) / 2
        found.append(Standing(elite=elites.ranked(rank), rank=shared))
    return found


class TreeSelector(Selector):
    """Takes the elites of the highest value; of equal ones any.

    Values are computed for all elites as long as there are at most `pool` of them. Beyond that, so that a
    choice costs the same at any number, for the best pool/2 and as many drawn uniformly from the rest.

    What is learnt of a record reaches its ancestors whether or not an archive still holds them. A record
    that the archive did not take in can become nobody's parent: it counts for its ancestors and is then
    forgotten. Taking in a record costs O(depth of its lineage).
    """

    pool: int = Field(default=256, ge=2)

    @abstractmethod
    def values(self, pool: Sequence[Standing], elites: Elites, rng: random.Random) -> list[float]:
        """The value of each of these elites, (P,)."""

    def apart(self, one: Elite, other: Elite) -> bool:
        """Whether these two may be chosen together."""
        return one.number != other.number

    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        return self.select(elites, rng, 0).parents[0]

    def select(self, elites: Elites, rng: random.Random, n: int) -> Selection:
        """The elite of the highest value, then those next to it that may be chosen together with all before."""
        pool = standings(elites, rng, self.pool)
        values = self.values(pool, elites, rng)
        order = sorted(range(len(pool)), key=[(-value, rng.random()) for value in values].__getitem__)
        chosen: list[Elite] = []
        for place in order:
            elite = pool[place].elite
            if all(self.apart(elite, other) for other in chosen):
                chosen.append(elite)
                if len(chosen) == n + 2:
                    break
        return Selection(parents=tuple(chosen[:2]), inspirations=tuple(chosen[2:]))


def numbered(counts: dict[int, Any]) -> list[list[Any]]:
    """A mapping from record numbers as two JSON lists."""
    return [list(counts), list(counts.values())]


def unnumbered(lists: list[list[Any]]) -> dict[int, Any]:
    """The mapping that `numbered` was given."""
    keys, values = lists
    return dict(zip(keys, values, strict=True))
