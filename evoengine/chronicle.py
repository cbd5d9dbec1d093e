"""A campaign's whole course in columns, made from its records in brief: what curves, maps and tables are drawn from.

A million records take about 100 MB and are read once; whatever is asked afterwards reads no record.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoengine.archives.base import Archive
from evoengine.bandit import Bandit
from evoengine.events import Progress
from evoengine.fold import Fold
from evoengine.guidance import Guidance
from evoengine.islands import Islands
from evoengine.plugins import build
from evoengine.selectors.uniform import Uniform
from evoengine.steering import Steering
from evoengine.stores.base import CampaignRow, Outline
from evoengine.types import (
    GUIDANCE,
    Action,
    Brief,
    Candidate,
    Cause,
    Content,
    Context,
    Cost,
    Failed,
    Feature,
    Program,
    Record,
    Scored,
)

_NO_PROGRAM = Program.known({"main.py": ""}, "python", "")
_NO_CONTEXT = Context(sections={"": ""})
"""What stands for the texts, which are not read: the archives that are shipped look at scores and features alone."""
_UNJUDGED = Failed(cause=Cause.UNJUDGED)
_SNAPSHOTS = 64
_NEAR = 500
"""Records that are soon taken in again after kept archives; migrations among large archives take the most of it."""
_KEPT_MAPS = 8
"""Records whose elites are kept at hand: a page asks for the same ones again and again."""
_FIRST_INTERVAL = 50
_CAUSES = list(Cause)
_PLACE_OF_CAUSE = {cause: place for place, cause in enumerate(_CAUSES)}
SCORED = -1
"""Stands among the places of causes for a record that has a score."""


class Coverage(NamedTuple):
    """What the archives held after a record: elites of all islands, mean coverage (0 to 1), sum of QD scores."""

    number: int
    elites: int
    coverage: float
    qd_score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What some records cost and brought.

    Attributes:
        improved: how many scored higher than what they were made from.
        champions: how many were the best of their time.
    """

    operator: str
    model: str
    records: int
    scored: int
    improved: int
    champions: int
    calls: int
    tokens: int
    money: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guided:
    """What was made under a context that guides.

    Attributes:
        number: of its record.
        children: how many proposals were made under it.
        uplift: the mean of what its improved children gained on their parents; None without any.
        credit: what the campaign gives it, 0 to 1; None where it has gone out of use.
    """

    number: int
    children: int
    scored: int
    improved: int
    uplift: float | None
    credit: float | None


class Columns:
    """One entry for each record, record 1 first: arrays (N,), and `features` (N, F)."""

    _KINDS: Mapping[str, type] = {
        "score": np.float64, "cause": np.int8, "parent": np.int32, "island": np.int16, "operator": np.int32,
        "model": np.int32, "guidance": np.int32, "calls": np.int32, "tokens": np.int64, "money": np.float64,
        "seconds": np.float32, "at": np.float64, "improved": np.bool_, "champion": np.bool_, "held": np.bool_,
    }  # fmt: skip

    def __init__(self, features: int) -> None:
        self.count = 0
        self._held: dict[str, NDArray[Any]] = {name: np.zeros(1024, kind) for name, kind in self._KINDS.items()}
        self._held["features"] = np.zeros((1024, features), np.float64)

    def add(self, **entry: Any) -> None:
        """Adds a record's entry to every column."""
        place = self.count
        if place == len(self._held["score"]):
            self._held = {name: np.concatenate([held, np.zeros_like(held)]) for name, held in self._held.items()}
        for name, value in entry.items():
            self._held[name][place] = value
        self.count += 1

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._held[name][: self.count]


class Chronicle:
    """What a campaign's records come to, one after the other, and what its archives held at any of them.

    The fold over the records is the campaign's own. Its archives are kept at `_SNAPSHOTS` records at most, so what
    they held at any other is made from the one before it.

    Args:
        row: the campaign's.
    """

    def __init__(self, row: CampaignRow) -> None:
        self.row = row
        self.about: dict[str, Any] = row.settings["about"]
        self.features = tuple(Feature(**feature) for feature in self.about["features"])
        self.columns = Columns(len(self.features))
        self.operators: list[str] = []
        self.models: list[str] = []
        self.coverage: list[Coverage] = []
        self._places: dict[tuple[str, str], int] = {}
        self._parents: dict[int, tuple[int, ...]] = {}
        self._tiers: Counter[str] = Counter()
        self.actions: dict[int, Action] = {}
        """What people decided, by record."""
        self._interval = _FIRST_INTERVAL
        self._snapshots: dict[int, dict[str, Any]] = {}
        self._elites: OrderedDict[int, list[NDArray[Any]]] = OrderedDict()
        self._fold = self._folding()
        self._fold.recalled = _Elites(self).__getitem__

    def _folding(self) -> Fold:
        settings = self.row.settings
        guidance = Guidance(**settings["guidance"]) if "guidance" in settings else None
        return Fold(
            islands=self._empty_islands(),
            bandit=Bandit(**settings["bandit"]),
            brief=Brief(name=self.row.problem, goal="", entry=""),
            seed=self.row.seed,
            inspirations=0,
            speaking=self.about.get("speaking", ()),
            guidance=guidance,
        )

    def _empty_islands(self) -> Islands:
        settings = self.row.settings
        islands = Islands(**settings["islands"])
        archive: Archive = build("archives", settings["archive"])
        # which elites a selector would choose has no part in what the archives hold
        islands.open(archive=archive, selector=Uniform(), features=self.features, seed=self.row.seed)
        return islands

    def shown(self, score: float) -> float:
        """A score as the problem's own value."""
        return score if self.about["direction"] == "maximize" else -score

    @property
    def count(self) -> int:
        """How many records were taken in."""
        return self.columns.count

    @property
    def progress(self) -> Progress:
        """Where the campaign stood after them."""
        return self._fold.progress

    @property
    def islands(self) -> Islands:
        """The islands after them; their elites have no programs."""
        return self._fold.islands

    @property
    def steering(self) -> Steering:
        """What people decided in them."""
        return self._fold.steering

    @property
    def tiers(self) -> Mapping[str, int]:
        """How many candidates each tier of the jail held while they were judged."""
        return self._tiers

    def take(self, outlines: Iterable[Outline]) -> None:
        """Takes in the next records, in order."""
        for one in outlines:
            taken = self._fold.take(_record(one))
            before = self.score(one.parents[0]) if one.parents else None
            guiding = one.island == GUIDANCE
            score = math.nan if one.score is None or guiding else one.score
            names = [feature.name for feature in self.features]
            self.columns.add(
                score=score,
                cause=SCORED if one.cause is None else _PLACE_OF_CAUSE[one.cause],
                parent=one.parents[0] if one.parents else 0,
                island=one.island,
                operator=self._place("operator", one.operator.partition(".")[0], self.operators),
                model=self._place("model", one.model, self.models),
                guidance=one.guidance or 0,
                calls=min(one.calls, 2**31 - 1),
                tokens=one.tokens,
                money=one.money,
                seconds=one.seconds,
                at=math.nan if one.at is None else one.at,
                improved=before is not None and score > before,
                champion=taken.improved,
                held=one.held,
                features=[math.nan if guiding else one.features.get(name, math.nan) for name in names],
            )
            if len(one.parents) > 1:
                self._parents[one.number] = one.parents
            if one.action is not None:
                self.actions[one.number] = one.action
            if one.tier:
                self._tiers[one.tier] += 1
            if one.number % self._interval == 0:
                self._keep(one.number)

    def _place(self, kind: str, name: str, names: list[str]) -> int:
        place = self._places.setdefault((kind, name), len(names))
        if place == len(names):
            names.append(name)
        return place

    def _keep(self, number: int) -> None:
        archives = self.islands.archives
        self._snapshots[number] = self.islands.state()
        self.coverage.append(
            Coverage(
                number=number,
                elites=sum(len(archive) for archive in archives),
                coverage=sum(archive.coverage for archive in archives) / len(archives),
                qd_score=sum(archive.qd_score for archive in archives),
            )
        )
        if len(self._snapshots) > _SNAPSHOTS:
            self._interval *= 2
            self._snapshots = {at: kept for at, kept in self._snapshots.items() if at % self._interval == 0}
            self.coverage = [one for one in self.coverage if one.number % self._interval == 0]

    def score(self, number: int) -> float | None:
        """The score of a record, if it has one and was taken in."""
        if not 1 <= number <= self.count:
            return None
        score = float(self.columns["score"][number - 1])
        return None if math.isnan(score) else score

    def parents(self, number: int) -> tuple[int, ...]:
        """The records that a record was made from; the first is the one that was changed."""
        if number in self._parents:
            return self._parents[number]
        first = int(self.columns["parent"][number - 1]) if 1 <= number <= self.count else 0
        return (first,) if first else ()

    def ancestors(self, number: int) -> Iterator[int]:
        """A record and its first parents back to a seed, the newest first."""
        while number:
            yield number
            parents = self.parents(number)
            # a parent is older than its child; a store that says otherwise must not hold a reader for ever
            number = parents[0] if parents and parents[0] < number else 0

    def children(self, number: int) -> NDArray[Any]:
        """The numbers of the records that changed this one, in order."""
        return np.flatnonzero(self.columns["parent"] == number) + 1

    def outcomes(self, after: int = 0) -> dict[str, int]:
        """How many of the records numbered above `after` have a score, or each cause, the most frequent first."""
        counts = np.bincount(self.columns["cause"][after:].astype(np.int64) + 1, minlength=len(_CAUSES) + 1).tolist()
        named = {"scored": counts[0], **{str(cause): counts[place + 1] for place, cause in enumerate(_CAUSES)}}
        return {name: count for name, count in sorted(named.items(), key=lambda one: -one[1]) if count}

    def champions(self) -> NDArray[Any]:
        """The numbers of the records that were the best of their time, in order, but for those in quarantine."""
        found = np.flatnonzero(self.columns["champion"]) + 1
        barred = self.islands.barred
        return found[~np.isin(found, list(barred))] if barred else found

    def efforts(self) -> list[Effort]:
        """What each operator brought and cost under each model, by name."""
        columns, width = self.columns, max(1, len(self.models))
        pairs = columns["operator"].astype(np.int64) * width + columns["model"]
        size = len(self.operators) * width

        def total(values: NDArray[Any]) -> list[float]:
            summed: list[float] = np.bincount(pairs, weights=values, minlength=size).tolist()
            return summed

        records = np.bincount(pairs, minlength=size).tolist()
        sums = {name: total(columns[name]) for name in ("improved", "champion", "calls", "tokens", "money", "seconds")}
        scored = total(columns["cause"] == SCORED)
        found = [
            Effort(
                operator=self.operators[pair // width],
                model=self.models[pair % width],
                records=records[pair],
                scored=int(scored[pair]),
                improved=int(sums["improved"][pair]),
                champions=int(sums["champion"][pair]),
                calls=int(sums["calls"][pair]),
                tokens=int(sums["tokens"][pair]),
                money=sums["money"][pair],
                seconds=sums["seconds"][pair],
            )
            for pair in range(size)
            if records[pair]
        ]
        return sorted(found, key=lambda one: (one.operator, one.model))

    def guided(self) -> list[Guided]:
        """The contexts that guide, those with the highest credit first, with what was made under them."""
        columns = self.columns
        guidance = columns["guidance"].astype(np.int64)
        made = np.bincount(guidance, minlength=self.count + 1)
        scored = np.bincount(guidance, weights=columns["cause"] == SCORED, minlength=self.count + 1)
        improved = np.bincount(guidance, weights=columns["improved"], minlength=self.count + 1)
        parents = columns["parent"]
        gains = np.where(columns["improved"], columns["score"] - columns["score"][np.maximum(parents - 1, 0)], 0.0)
        gained = np.bincount(guidance, weights=gains, minlength=self.count + 1)
        held = self._fold.guidance
        worth = {} if held is None else {elite.number: elite.scored.score for elite in held.elites()}
        contexts = np.flatnonzero((columns["island"] == GUIDANCE) & columns["held"] & (columns["cause"] == SCORED)) + 1
        found = [
            Guided(
                number=number,
                children=int(made[number]),
                scored=int(scored[number]),
                improved=int(improved[number]),
                uplift=float(gained[number] / improved[number]) if improved[number] else None,
                credit=worth.get(number),
            )
            for number in contexts.tolist()
        ]
        return sorted(found, key=lambda one: (-1.0 if one.credit is None else -1.0 - one.credit, one.number))

    def elites(self, at: int | None = None) -> list[NDArray[Any]]:
        """The record numbers of each island's elites after record `at` (the last that was taken in when left out)."""
        number = self.count if at is None else max(0, min(at, self.count))
        if number not in self._elites:
            islands = self.islands if number == self.count else self._islands_at(number)
            self._elites[number] = [np.array(archive.numbers(), dtype=np.int64) for archive in islands.archives]
            while len(self._elites) > _KEPT_MAPS:
                self._elites.popitem(last=False)
        self._elites.move_to_end(number)
        return self._elites[number]

    def nearest(self, at: int) -> int:
        """The record at or before `at` after which the elites are soon told: archives are kept of it, or near it."""
        start = max((kept for kept in self._snapshots if kept <= at), default=0)
        return at if at == self.count or at in self._elites or at - start <= _NEAR else start

    def best(self, numbers: NDArray[Any], most: int | None = None) -> list[int]:
        """Of the numbers of scored records those with the best scores, each once; of equals the oldest first."""
        once = np.unique(numbers)
        order = np.lexsort((once, -self.columns["score"][once - 1]))[:most]
        return [int(number) for number in once[order]]

    def place(self, number: int) -> dict[str, float]:
        """Where a scored record is in behaviour space, by feature."""
        values = self.columns["features"][number - 1].tolist()
        names = [feature.name for feature in self.features]
        return {name: value for name, value in zip(names, values, strict=True) if not math.isnan(value)}

    def _islands_at(self, number: int) -> Islands:
        islands = self._empty_islands()
        start = max((kept for kept in self._snapshots if kept <= number), default=0)
        if start:
            islands.restore(self._snapshots[start], _Elites(self))
        names = [feature.name for feature in self.features]
        columns = ("score", "island", "held", "features")
        entries = zip(*(self.columns[name][start:number].tolist() for name in columns), strict=True)
        for later, (score, island, held, features) in enumerate(entries, start=start + 1):
            evaluation: Scored | Failed = _UNJUDGED
            if not math.isnan(score):
                told = {name: value for name, value in zip(names, features, strict=True) if not math.isnan(value)}
                evaluation = Scored(score=score, features=told)
            candidate = Candidate(
                content=_NO_PROGRAM if held else None,
                island=island,
                operator="",
                parents=self.parents(later) if islands.barred else (),
                action=self.actions.get(later),
            )
            islands.add(Record(number=later, candidate=candidate, evaluation=evaluation))
        return islands

    def scored(self, number: int) -> Scored:
        """The score of a record and its place in behaviour space.

        Raises:
            KeyError: it has none.
        """
        score = self.score(number)
        if score is None:
            raise KeyError(number)
        return Scored(score=score, features=self.place(number))


class _Elites(dict[int, tuple[Content, Scored]]):
    """Scores by record number, with a stand-in for the program."""

    def __init__(self, chronicle: Chronicle) -> None:
        super().__init__()
        self._chronicle = chronicle

    def __missing__(self, number: int) -> tuple[Content, Scored]:
        return _NO_PROGRAM, self._chronicle.scored(number)


def _record(one: Outline) -> Record:
    content: Content | None = None
    if one.held:
        content = _NO_CONTEXT if one.island == GUIDANCE else _NO_PROGRAM
    evaluation: Scored | Failed
    if one.score is not None:
        evaluation = Scored(score=one.score, features=one.features)
    else:
        evaluation = Failed(cause=one.cause or Cause.UNJUDGED)
    return Record(
        number=one.number,
        candidate=Candidate(
            content=content,
            island=one.island,
            operator=one.operator,
            parents=one.parents,
            guidance=one.guidance,
            action=one.action,
        ),
        evaluation=evaluation,
        cost=Cost(calls=one.calls, tokens=one.tokens, money=one.money, seconds=one.seconds),
        tier=one.tier,
    )
