"""The state of a campaign as a fold over its records: the same records give the same state."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import Any

from evoengine.bandit import Bandit
from evoengine.events import Progress
from evoengine.islands import Islands
from evoengine.randomness import Stream
from evoengine.stores.base import CampaignRow, Store
from evoengine.types import EVERY_ISLAND, SEED, Brief, Content, Draft, Insertion, Record, Scored

_FORMAT = 2
"""Of kept states; one of another format is not taken up, and the records are replayed instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a record."""

    insertion: Insertion
    improved: bool
    """Whether it is the best so far."""


class _Stored(dict[int, tuple[Content, Scored]]):
    """Contents and scores by record number, read from the store each time that one is asked for."""

    def __init__(self, store: Store, row: CampaignRow) -> None:
        super().__init__()
        self._store, self._row = store, row

    def __missing__(self, number: int) -> tuple[Content, Scored]:
        return self._store.elite(self._row, number)

    def score(self, number: int) -> float | None:
        """The score of a record, if it has one."""
        return self._store.score(self._row, number)


class Fold:
    """Everything that a campaign's decisions rest on, and the decisions.

    Args:
        islands: opened.
        bandit: opened.
        brief: what operators are told.
        seed: of the campaign.
        inspirations: how many other elites a draft shows.
    """

    def __init__(self, *, islands: Islands, bandit: Bandit, brief: Brief, seed: int, inspirations: int) -> None:
        self.islands = islands
        self.bandit = bandit
        self.seen: set[str] = set()
        """Digests of all contents recorded so far."""
        self.records = 0
        self.seeds = 0
        self._brief, self._seed, self._inspirations = brief, seed, inspirations
        self._stored: _Stored | None = None
        self._scores: array[float] = array("d")
        """Of the records that were taken in; of those of a kept state only the store knows them."""
        self._evaluations = self._tokens = self._stalled = 0
        self._money = 0.0
        self._best: float | None = None

    @property
    def progress(self) -> Progress:
        """Where the campaign stands."""
        return Progress(
            records=self.records,
            evaluations=self._evaluations,
            tokens=self._tokens,
            money=self._money,
            best=self._best,
            stalled=self._stalled,
        )

    @property
    def evaluations(self) -> int:
        """Judged calls so far, and one for each record that needed none."""
        return self._evaluations

    def take(self, record: Record) -> Taken:
        """Takes in the next record.

        Raises:
            ValueError: its number is not the next.
        """
        if record.number != self.records + 1:
            raise ValueError(f"expected record {self.records + 1}, got {record.number}")
        candidate, evaluation, cost = record.candidate, record.evaluation, record.cost
        score = evaluation.score if isinstance(evaluation, Scored) else None
        if candidate.operator == SEED:
            self.seeds += 1
        else:
            operator, _, arm = candidate.operator.partition(".")
            self.bandit.learn((operator, arm), self._reward(record, score), cost.calls)
        insertion = self.islands.add(record)
        improved = score is not None and (self._best is None or score > self._best)
        if improved:
            self._best = score
        self._stalled = 0 if improved else self._stalled + 1
        self._scores.append(math.nan if score is None else score)
        if candidate.content is not None:
            self.seen.add(candidate.content.digest)
        self.records = record.number
        self._evaluations += max(1, cost.calls)
        self._tokens += cost.tokens
        self._money += cost.money
        return Taken(insertion=insertion, improved=improved)

    def _reward(self, record: Record, score: float | None) -> float:
        """What a proposal brought, 0 to 1, in ranks, so that the scale of scores does not matter.

        1 for a new best of the island; else by how much of the island's elites the child passed its parent.
        """
        candidate = record.candidate
        if score is None or not candidate.parents or candidate.island == EVERY_ISLAND:
            return 0.0
        before = self._score(candidate.parents[0])
        if not score > before:
            return 0.0
        archive = self.islands.archives[candidate.island % self.islands.count]
        best = archive.best()
        if best is None or score > best.scored.score:
            return 1.0
        return archive.elites.share_below(score) - archive.elites.share_below(before)

    def _score(self, number: int) -> float:
        """The score of a record; NaN if it has none."""
        place = number - 1 - (self.records - len(self._scores))
        if place >= 0:
            return self._scores[place]
        assert self._stored is not None
        score = self._stored.score(number)
        return math.nan if score is None else score

    def draft(self, number: int) -> Draft:
        """The draft of a proposal, as it follows from the state of this moment.

        Raises:
            ValueError: no island has an elite.
        """
        place = number % self.islands.count
        archives = self.islands.archives
        if not len(archives[place]):  # its elites were lost to a reset of bounds or it never had one
            place = next((other for other, archive in enumerate(archives) if len(archive)), -1)
            if place < 0:
                raise ValueError("no island has an elite to breed from")
        operator, arm = self.bandit.choose(Stream(self._seed, number, "operator"))
        selection = self.islands.selectors[place].select(
            archives[place].elites, Stream(self._seed, number, "selection"), self._inspirations
        )
        return Draft(
            number=number,
            island=place,
            operator=operator,
            arm=arm,
            parents=selection.parents,
            inspirations=selection.inspirations,
            brief=self._brief,
            rng=Stream(self._seed, number, "breeding"),
        )

    def state(self) -> dict[str, Any]:
        """The state as JSON values; elites and scores by record number, to be looked up in the store."""
        return {
            "format": _FORMAT,
            "records": self.records,
            "seeds": self.seeds,
            "evaluations": self._evaluations,
            "tokens": self._tokens,
            "money": self._money,
            "best": self._best,
            "stalled": self._stalled,
            "islands": self.islands.state(),
            "bandit": self.bandit.state(),
        }

    def resume(self, store: Store, row: CampaignRow, at_most: int) -> None:
        """Takes up the newest kept state after a record numbered `at_most` or less, if it can be read."""
        kept = store.load_state(row, at_most)
        if kept is None:
            return
        number, state = kept
        if state.get("format") != _FORMAT:
            return
        self.records, self.seeds = state["records"], state["seeds"]
        self._evaluations, self._tokens, self._money = state["evaluations"], state["tokens"], state["money"]
        self._best, self._stalled = state["best"], state["stalled"]
        self._stored, self._scores = _Stored(store, row), array("d")
        self.islands.restore(state["islands"], self._stored)
        self.bandit.restore(state["bandit"])
        self.seen = store.digests(row, number)
