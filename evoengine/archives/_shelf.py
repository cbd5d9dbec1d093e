"""The storage that archives share: elites by cell, dense, with an order by score when one is asked for."""

from __future__ import annotations

import math
import random
from array import array
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

from sortedcontainers import SortedList

from evoengine.types import Cell, Content, Elite, Insertion, Scored


class _Unread:
    """An owner of which only this is known; the rest is read when it is asked for."""

    __slots__ = ("cell", "number", "score")

    def __init__(self, number: int, score: float, cell: Cell) -> None:
        self.number, self.score, self.cell = number, score, cell

    @property
    def scored(self) -> _Unread:
        """What holds its score, as in an elite."""
        return self


class Shelf:
    """Elites by cell. Implements `evoengine.types.Elites`.

    Places are dense (0 to N - 1), so that a uniform draw is one index; a new elite gets the next place and
    an improved one keeps its predecessor's. `remove` moves the last elite into the gap. The order by score
    is made at the first question for it and kept up from then on, in O(log N) a change; beside it the
    number of elites by score, since most scores are held by one elite and then need no search for ties.

    An elite of a kept state is read when it is first asked for: an archive of a hundred thousand opens
    without reading as many programs.
    """

    __slots__ = ("_best", "_holders", "_order", "_places", "_scores", "_slots", "_sources", "_total", "version")

    def __init__(self) -> None:
        self._slots: list[Elite | _Unread] = []
        self._sources: dict[int, tuple[Content, Scored]] | None = None
        # scores once more, in a row: an offer that is rejected then looks at no object of the incumbent's, each of
        # which is a wait for memory in a large archive
        self._scores: array[float] = array("d")
        self._places: dict[Cell, int] = {}
        self._order: SortedList | None = None
        self._holders: dict[float, int] = {}
        self._best: Elite | _Unread | None = None
        self._total = 0.0
        self.version = 0

    def put(self, cell: Cell, number: int, content: Content, scored: Scored) -> Insertion:
        """Offers a candidate to a cell; an incumbent with an equal score stays."""
        place = self._places.get(cell)
        score = scored.score
        if place is None:
            elite = Elite(number=number, content=content, scored=scored, cell=cell)
            self._places[cell] = place = len(self._slots)
            self._slots.append(elite)
            self._scores.append(score)
            self._total += score
            insertion = Insertion.NEW
        else:
            held = self._scores[place]
            if score <= held:
                return Insertion.REJECTED
            incumbent = self._slots[place]
            elite = Elite(number=number, content=content, scored=scored, cell=cell)
            self._slots[place] = elite
            self._scores[place] = score
            self._total += score - held
            if self._order is not None:
                self._leave(incumbent, place)
            if self._best is incumbent:
                self._best = elite
            insertion = Insertion.IMPROVED
        if self._order is not None:
            self._enter(elite, place)
        best = self._best
        if best is None or score > best.scored.score or (score == best.scored.score and number < best.number):
            self._best = elite
        self.version += 1
        return insertion

    def restore(self, state: dict[str, Any], sources: dict[int, tuple[Content, Scored]]) -> None:
        """Takes up a `state`; contents and full scores are read from `sources` when they are asked for."""
        self.clear()
        numbers, scores = state["elites"], array("d", b64decode(state["scores"]))
        flat = array("q", b64decode(state["cells"]))
        axes = len(flat) // len(numbers) if numbers else 0
        cells = zip(*(flat[axis::axes] for axis in range(axes)), strict=True) if axes else repeat(())  # no features
        slots = list(map(_Unread, numbers, scores, cells))
        self._slots[:], self._scores = slots, scores
        self._places.update((owner.cell, place) for place, owner in enumerate(slots))
        self._best = min(slots, key=_key, default=None)
        self._sources, self._total = sources, state["total"]

    def remove(self, cell: Cell) -> None:
        """Takes a cell's owner out.

        Raises:
            KeyError: nobody owns it.
        """
        place = self._places.pop(cell)
        gone, last = self._slots[place], self._slots.pop()
        score = self._scores.pop()
        self._leave(gone, place)
        if last is not gone:
            self._leave(last, len(self._slots))
            self._enter(last, place)
            self._slots[place], self._scores[place] = last, score
            self._places[last.cell] = place
        self._total -= gone.scored.score
        if self._best is gone:
            self._best = min(self._slots, key=_key, default=None)
        self.version += 1

    def clear(self) -> None:
        """Takes all elites out."""
        self._slots.clear()
        self._scores = array("d")
        self._places.clear()
        self._order, self._best, self._total, self._sources = None, None, 0.0, None
        self.version += 1

    def at(self, cell: Cell) -> Elite | None:
        """The owner of a cell."""
        place = self._places.get(cell)
        return None if place is None else self[place]

    def best(self) -> Elite | None:
        """The elite with the highest score; of several the oldest."""
        return None if self._best is None else self._read(self._best)

    @property
    def total(self) -> float:
        """The sum of the scores, kept up incrementally."""
        return self._total

    @total.setter
    def total(self, value: float) -> None:
        self._total = value

    def sample(self, rng: random.Random, n: int) -> list[Elite]:
        """`n` elites, uniformly, with replacement."""
        slots, size, draw = self._slots, len(self._slots), rng.random
        if not size:
            raise IndexError("an empty archive has no elite to sample")
        return [self._read(slots[int(draw() * size)]) for _ in range(n)]

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, index: int, /) -> Elite:
        return self._read(self._slots[index])

    def state(self) -> dict[str, Any]:
        """What `restore` needs beside the sources, as JSON values; nothing is read for it.

        It is made every few thousand records, so it makes no object for each elite (the garbage collector
        would look at every one of the archive) and packs numbers, which as text take four times as long.
        """
        slots = self._slots
        return {
            "elites": [owner.number for owner in slots],
            "scores": _packed(self._scores),
            "cells": _packed(array("q", chain.from_iterable([owner.cell for owner in slots]))),
            "total": self._total,
        }

    def __iter__(self) -> Iterator[Elite]:
        return map(self._read, list(self._slots))

    def ranked(self, rank: int) -> Elite:
        """The elite of a rank, 0 for the best."""
        place: int = self._sorted()[rank][2]
        return self._read(self._slots[place])

    def ties(self, rank: int) -> range:
        """The ranks that hold the same score as this one."""
        order = self._sorted()
        score = order[rank][0]
        if self._holders[-score] == 1:
            return range(rank, rank + 1)
        return range(order.bisect_left((score,)), order.bisect_left((score, math.inf)))

    def share_below(self, score: float) -> float:
        """The share of elites with a lower score."""
        order = self._sorted()
        return 1.0 - order.bisect_left((-score, math.inf)) / len(order) if order else 0.0

    def _sorted(self) -> SortedList:
        if self._order is None:
            self._order = SortedList((-e.scored.score, e.number, place) for place, e in enumerate(self._slots))
            self._holders = Counter(e.scored.score for e in self._slots)
        return self._order

    def _read(self, owner: Elite | _Unread) -> Elite:
        if isinstance(owner, Elite):
            return owner
        assert self._sources is not None
        content, scored = self._sources[owner.number]
        elite = Elite(number=owner.number, content=content, scored=scored, cell=owner.cell)
        self._slots[self._places[owner.cell]] = elite
        if self._best is owner:
            self._best = elite
        return elite

    def _enter(self, elite: Elite | _Unread, place: int) -> None:
        """Takes an elite into the order, if there is one."""
        if self._order is not None:
            score = elite.scored.score
            self._order.add((-score, elite.number, place))
            self._holders[score] = self._holders.get(score, 0) + 1

    def _leave(self, elite: Elite | _Unread, place: int) -> None:
        """Takes an elite out of the order, if there is one."""
        if self._order is not None:
            score = elite.scored.score
            self._order.remove((-score, elite.number, place))
            if self._holders[score] == 1:
                del self._holders[score]
            else:
                self._holders[score] -= 1


def _packed(numbers: array[float] | array[int]) -> str:
    return b64encode(numbers.tobytes()).decode()


def _key(elite: Elite | _Unread) -> tuple[float, int]:
    return (-elite.scored.score, elite.number)
