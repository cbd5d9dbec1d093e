"""The storage that archives share: elites by cell, dense, with an order by score when one is asked for."""

from __future__ import annotations

import math
import random
from array import array
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeAlias

from sortedcontainers import SortedList

from evoengine.types import Cell, Content, Elite, Insertion, Scored

_Owner: TypeAlias = tuple[int, Content, Scored] | int
"""What an elite is made of when it is asked for; of one that was not read yet only the number."""

_NOBODY = -1
_MOST = 1 << 22
"""Of more cells than this (16 MiB for their places) only those that are owned are kept track of."""


class Shelf:
    """Elites by cell. Implements `evoengine.types.Elites`.

    Places are dense (0 to N - 1), so that a uniform draw is one index; a new elite gets the next place and
    an improved one keeps its predecessor's. `remove` moves the last elite into the gap. The order by score
    is made at the first question for it and kept up from then on, in O(log N) a change; beside it the
    number of elites by score, since most scores are held by one elite and then need no search for ties.

    Scores lie in a row of their own, and so do the places of cells that can be numbered: an offer that is
    rejected looks at no object of the incumbent's, each of which is a wait for memory in a large archive.
    An elite of a kept state is read when it is first asked for: an archive of a hundred thousand opens
    without reading as many programs.

    Args:
        cell_of: a cell from its key; a key is any integer from 0 that is the cell's own.
        cells: how many keys there are, if it is known.
    """

    __slots__ = (
        "_best", "_cell_of", "_find", "_holders", "_keys", "_numbered", "_order", "_places", "_scores", "_slots",
        "_sources", "_total", "version",
    )  # fmt: skip

    def __init__(self, cell_of: Callable[[int], Cell] = lambda key: (key,), cells: int | None = None) -> None:
        self._cell_of, self._numbered = cell_of, cells if cells is not None and cells <= _MOST else None
        self.version = 0
        self.clear()

    def clear(self) -> None:
        """Takes all elites out."""
        self._slots: list[_Owner] = []
        self._keys: list[int] = []
        self._scores: array[float] = array("d")
        self._sources: dict[int, tuple[Content, Scored]] | None = None
        self._order: SortedList | None = None
        self._holders: dict[float, int] = {}
        self._best = -1
        self._total = 0.0
        self.version += 1
        self._empty_places()

    def _empty_places(self) -> None:
        self._places: dict[int, int] | array[int]
        self._find: Callable[[int], int | None]
        if self._numbered is None:
            self._places = {}
            self._find = self._places.get
        else:
            self._places = array("i", [_NOBODY]) * self._numbered
            self._find = self._places.__getitem__

    def put(self, key: int, number: int, content: Content, scored: Scored) -> Insertion:
        """Offers a candidate to a cell; an incumbent with an equal score stays."""
        place = self._find(key)
        score = scored.score
        if place is None or place < 0:
            self._places[key] = place = len(self._slots)
            self._slots.append((number, content, scored))
            self._keys.append(key)
            self._scores.append(score)
            self._total += score
            insertion = Insertion.NEW
        else:
            held = self._scores[place]
            if score <= held:
                return Insertion.REJECTED
            if self._order is not None:
                self._leave(place)
            self._slots[place] = (number, content, scored)
            self._scores[place] = score
            self._total += score - held
            insertion = Insertion.IMPROVED
        if self._order is not None:
            self._enter(place)
        best = self._best
        if best < 0:
            self._best = place
        elif best != place:
            top = self._scores[best]
            if score > top or (score == top and number < self._number(best)):
                self._best = place
        self.version += 1
        return insertion

    def remove(self, key: int) -> None:
        """Takes a cell's owner out.

        Raises:
            KeyError: nobody owns it.
        """
        place, last = self._find(key), len(self._slots) - 1
        if place is None or place < 0:
            raise KeyError(key)
        self._total -= self._scores[place]
        self._leave(place)
        self._places[key] = _NOBODY
        if place != last:
            self._leave(last)
            self._places[self._keys[last]] = place
            self._slots[place], self._keys[place] = self._slots[last], self._keys[last]
            self._scores[place] = self._scores[last]
            self._enter(place)
        del self._slots[last], self._keys[last], self._scores[last]
        if self._best == place:
            self._best = self._champion()
        elif self._best == last:
            self._best = place
        self.version += 1

    def _number(self, place: int) -> int:
        held = self._slots[place]
        return held if isinstance(held, int) else held[0]

    def _champion(self) -> int:
        """The place of the best, found by looking at all; -1 if there is none."""
        scores = self._scores
        if not scores:
            return -1
        top = max(scores)
        return min((place for place, score in enumerate(scores) if score == top), key=self._number)

    def at(self, key: int) -> Elite | None:
        """The owner of a cell."""
        place = self._find(key)
        return None if place is None or place < 0 else self[place]

    def best(self) -> Elite | None:
        """The elite with the highest score; of several the oldest."""
        return None if self._best < 0 else self[self._best]

    @property
    def total(self) -> float:
        """The sum of the scores, kept up incrementally."""
        return self._total

    def sample(self, rng: random.Random, n: int) -> list[Elite]:
        """`n` elites, uniformly, with replacement."""
        size, draw = len(self._slots), rng.random
        if not size:
            raise IndexError("an empty archive has no elite to sample")
        return [self[int(draw() * size)] for _ in range(n)]

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, index: int, /) -> Elite:
        return Elite(*self._held(index), self._cell_of(self._keys[index]))

    def _held(self, place: int) -> tuple[int, Content, Scored]:
        held = self._slots[place]
        if isinstance(held, int):
            assert self._sources is not None
            self._slots[place] = held = (held, *self._sources[held])
        return held

    def __iter__(self) -> Iterator[Elite]:
        return map(self.__getitem__, range(len(self._slots)))

    def numbers(self) -> list[int]:
        """The record numbers of all elites, by place; nothing is read for it."""
        return [held if isinstance(held, int) else held[0] for held in self._slots]

    def state(self) -> dict[str, Any]:
        """What `restore` needs beside the sources, as JSON values; nothing is read for it.

        It is made every few thousand records, so it makes no object for each elite (the garbage collector
        would look at every one of the archive) and packs numbers, which as text take four times as long.
        """
        return {
            "elites": self.numbers(),
            "scores": _packed(self._scores),
            "cells": _packed_keys(self._keys),
            "total": self._total,
        }

    def restore(self, state: dict[str, Any], sources: dict[int, tuple[Content, Scored]]) -> None:
        """Takes up a `state`; contents and full scores are read from `sources` when they are asked for."""
        self.clear()
        numbers, cells = state["elites"], state["cells"]
        self._keys = cells if isinstance(cells, list) else array("q", b64decode(cells)).tolist()
        self._slots, self._scores = list(numbers), array("d", b64decode(state["scores"]))
        for place, key in enumerate(self._keys):
            self._places[key] = place
        self._sources, self._total, self._best = sources, state["total"], self._champion()

    def ranked(self, rank: int) -> Elite:
        """The elite of a rank, 0 for the best."""
        place: int = self._sorted()[rank][2]
        return self[place]

    def leaders(self, count: int) -> list[tuple[int, Content, Scored]]:
        """The best `count` elites, the best first; no object is made for a cell."""
        return [self._held(place) for _, _, place in islice(self._sorted(), count)]

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
            places = range(len(self._slots))
            self._order = SortedList((-self._scores[place], self._number(place), place) for place in places)
            self._holders = Counter(self._scores)
        return self._order

    def _enter(self, place: int) -> None:
        """Takes an elite into the order, if there is one."""
        if self._order is not None:
            score = self._scores[place]
            self._order.add((-score, self._number(place), place))
            self._holders[score] = self._holders.get(score, 0) + 1

    def _leave(self, place: int) -> None:
        """Takes an elite out of the order, if there is one."""
        if self._order is not None:
            score = self._scores[place]
            self._order.remove((-score, self._number(place), place))
            if self._holders[score] == 1:
                del self._holders[score]
            else:
                self._holders[score] -= 1


def _packed(numbers: array[float] | array[int]) -> str:
    return b64encode(numbers.tobytes()).decode()


def _packed_keys(keys: list[int]) -> str | list[int]:
    try:
        return _packed(array("q", keys))
    except OverflowError:  # a grid of more than 2^63 cells
        return list(keys)
