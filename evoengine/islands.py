"""Islands: archives that evolve apart, exchange elites, and are reset when they fall behind."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from evoengine.archives.base import Archive
from evoengine.component import Component
from evoengine.randomness import Stream
from evoengine.selectors.base import Selector
from evoengine.types import EVERY_ISLAND, GUIDANCE, Content, Elite, Feature, Insertion, Record, Scored


class Islands(Component):
    """A fold over records: each goes to the archive of its island, seeds to all.

    What falls due, falls due by record number: migration at every `interval`-th record, a reset at every
    `reset_interval`-th. Random decisions are drawn from streams keyed by that number.

    Attributes:
        count: how many islands there are.
        topology: who sends to whom. "ring": to the next; "complete": to all others; "star": the first to all
            others and they to it; "random": each to one other, drawn anew each time.
        interval: records between migrations; 0 for none.
        rate: the share of an island's elites that is offered along each edge (at least one elite).
        migrants: "best" sends its best, "random" draws uniformly.
        reset_interval: records between resets; 0 for none. At a reset the worse half of the islands is
            emptied and each is given the best elite of an island drawn from the better half (FunSearch,
            Romera-Paredes et al. 2023, doi:10.1038/s41586-023-06924-6).
    """

    count: int = Field(default=4, ge=1)
    topology: Literal["ring", "complete", "star", "random"] = "ring"
    interval: int = Field(default=200, ge=0)
    rate: float = Field(default=0.1, gt=0.0, le=1.0)
    migrants: Literal["best", "random"] = "best"
    reset_interval: int = Field(default=0, ge=0)

    @cached_property
    def archives(self) -> list[Archive]:
        """The archive of each island."""
        return []  # a cached property is read ten times faster than a private attribute

    @cached_property
    def selectors(self) -> list[Selector]:
        """The selector of each island."""
        return []

    @cached_property
    def barred(self) -> set[int]:
        """Records in quarantine, with those made from them since."""
        return set()

    @cached_property
    def _champion(self) -> Elite | None:
        return None

    _seed: int = PrivateAttr(default=0)

    def open(self, *, archive: Archive, selector: Selector, features: tuple[Feature, ...], seed: int) -> None:
        """Makes all islands empty, each with an archive and a selector like these."""
        self.archives[:] = [archive.fresh() for _ in range(self.count)]
        self.selectors[:] = [selector.fresh() for _ in range(self.count)]
        for one in self.archives:
            one.open(features)
        self.barred.clear()
        self._champion, self._seed = None, seed

    @property
    def champion(self) -> Elite | None:
        """The best of all records, whether or not an archive still holds it; of several the oldest."""
        return self._champion

    def add(self, record: Record) -> Insertion:
        """Takes in the next record, with all that falls due at its number."""
        insertion = Insertion.REJECTED
        candidate, evaluation = record.candidate, record.evaluation
        places: Iterable[int] = (candidate.island % self.count,)
        scored = evaluation if isinstance(evaluation, Scored) and candidate.content is not None else None
        if candidate.island == EVERY_ISLAND:
            places = range(self.count)
        elif candidate.island == GUIDANCE:
            places, scored = (), None
        if self.barred and not self.barred.isdisjoint(candidate.parents):
            self.barred.add(record.number)
            scored = None
        for place in places:
            taken = Insertion.REJECTED
            if scored is not None and candidate.content is not None:
                taken = self.archives[place].add(record.number, candidate.content, scored)
                insertion = max(insertion, taken)
            self.selectors[place].observe(record, taken)
        if (
            scored is not None
            and candidate.content is not None
            and (self._champion is None or scored.score > self._champion.scored.score)
        ):
            self._champion = Elite(number=record.number, content=candidate.content, scored=scored, cell=())
        if candidate.action is not None and candidate.action.barred:
            self._bar(candidate.action.barred)
        if self.interval and record.number % self.interval == 0:
            self._migrate(record.number)
        if self.reset_interval and record.number % self.reset_interval == 0:
            self._reset(record.number)
        return insertion

    def stands_without(self, numbers: Collection[int]) -> bool:
        """Whether an elite would be left if the records of these numbers were taken out."""
        return any(number not in numbers for archive in self.archives for number in archive.numbers())

    def _bar(self, numbers: Collection[int]) -> None:
        """Takes records out of all archives; the best of what is left is the champion, if it was one of them."""
        gone = set(numbers)
        self.barred |= gone
        for archive in self.archives:
            archive.remove(gone)
        if self._champion is not None and self._champion.number in gone:
            left = [best for archive in self.archives if (best := archive.best()) is not None]
            best = max(left, key=lambda elite: (elite.scored.score, -elite.number), default=None)
            self._champion = None if best is None else best._replace(cell=())

    def _migrate(self, number: int) -> None:
        if self.count == 1:
            return
        rng = Stream(self._seed, number, "migration")
        leaving = [self._leaving(archive, rng) for archive in self.archives]  # before anyone arrives
        for source, target in self._edges(rng):
            add = self.archives[target].add
            for migrant, content, scored in leaving[source]:
                add(migrant, content, scored)

    def _leaving(self, archive: Archive, rng: random.Random) -> list[tuple[int, Content, Scored]]:
        size = len(archive)
        if not size:
            return []
        wanted = max(1, math.ceil(self.rate * size))
        if self.migrants == "best":
            return archive.leaders(wanted)
        chosen = [archive.elites[place] for place in sorted(rng.sample(range(size), wanted))]
        return [(elite.number, elite.content, elite.scored) for elite in chosen]

    def _edges(self, rng: random.Random) -> Iterable[tuple[int, int]]:
        places = range(self.count)
        match self.topology:
            case "ring":
                return [(place, (place + 1) % self.count) for place in places]
            case "complete":
                return [(source, target) for source in places for target in places if source != target]
            case "star":
                return [(0, place) for place in places[1:]] + [(place, 0) for place in places[1:]]
            case "random":
                return [(place, (place + rng.randrange(1, self.count)) % self.count) for place in places]

    def _reset(self, number: int) -> None:
        rng = Stream(self._seed, number, "reset")
        standing = []
        for place, archive in enumerate(self.archives):
            best = archive.best()
            # ties are broken by lot, as in FunSearch, so that no island is favoured by its place
            standing.append((best.scored.score if best else -math.inf, rng.random(), place))
        standing.sort()
        fallen = self.count // 2
        survivors = [place for score, _, place in standing[fallen:] if score > -math.inf]
        if not survivors:
            return
        for _, _, place in standing[:fallen]:
            founder = self.archives[rng.choice(survivors)].best()
            assert founder is not None
            self.archives[place].clear()
            self.archives[place].add(founder.number, founder.content, founder.scored)

    def digest(self) -> str:
        """A hash of every island's cells, contents and scores: 32 hexadecimal characters."""
        hashed = blake2b(digest_size=16)
        for place, archive in enumerate(self.archives):
            for elite in sorted(archive, key=lambda elite: elite.cell):
                hashed.update(f"{place} {elite.cell} {elite.content.digest} {elite.scored.score!r}\n".encode())
        return hashed.hexdigest()

    def state(self) -> dict[str, Any]:
        """What a later `restore` needs beside the elites; these are named by record number."""
        return {
            "archives": [archive.state() for archive in self.archives],
            "selectors": [selector.state() for selector in self.selectors],
            "champion": None if self._champion is None else self._champion.number,
            **({"barred": sorted(self.barred)} if self.barred else {}),
        }

    def restore(self, state: dict[str, Any], elites: dict[int, tuple[Content, Scored]]) -> None:
        """Takes up a `state`, given contents and scores of the record numbers that it names."""
        for archive, kept in zip(self.archives, state["archives"], strict=True):
            archive.restore(kept, elites)
        for selector, kept in zip(self.selectors, state["selectors"], strict=True):
            selector.restore(kept)
        self.barred.clear()
        self.barred.update(state.get("barred", ()))
        if state["champion"] is not None:
            content, scored = elites[state["champion"]]
            self._champion = Elite(number=state["champion"], content=content, scored=scored, cell=())
