"""The interface of stores: an append-only log of records for each campaign, and what helps to read it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from evoengine.component import Component
from evoengine.types import SEED, Action, Cause, Content, Evaluation, Failed, Judgement, Record, Scored


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """A campaign, as the store knows it.

    Attributes:
        fingerprint: of the problem and its settings; evaluations are comparable where it is equal.
        settings: all that it was started with and that its records need to be read, as JSON values.
        created: ISO 8601, UTC.
    """

    id: int
    name: str
    problem: str
    fingerprint: str
    seed: int
    settings: Mapping[str, Any]
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A later examination of a record that selection never saw: a held-out stage, a repeated evaluation."""

    number: int
    stage: str
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update of the mutator's weights.

    Attributes:
        number: from 1.
        record: the last one that was there when it fell due.
        policy: the name of the weights that it made.
        facts: figures by name; None where one was not finite.
    """

    number: int
    record: int
    policy: str
    facts: Mapping[str, float | None]


class Outline(NamedTuple):
    """A record without its texts: what curves, tables and maps are made of."""

    number: int
    island: int
    operator: str
    parents: tuple[int, ...]
    score: float | None
    cause: Cause | None
    features: Mapping[str, float]
    calls: int
    tokens: int
    money: float
    """US dollars."""
    seconds: float
    tier: str
    model: str
    """Which model was asked last; "" where none was, and for seeds."""
    guidance: int | None
    held: bool
    """Whether it has a content."""
    at: float | None = None
    """When it was stored, in seconds since 1970; None where the store does not know."""
    action: Action | None = None


def outline_of(record: Record) -> Outline:
    """A record in brief."""
    candidate, evaluation, cost = record.candidate, record.evaluation, record.cost
    asked = candidate.turns[-1].completion.policy if candidate.turns and candidate.operator != SEED else ""
    return Outline(
        number=record.number,
        island=candidate.island,
        operator=candidate.operator,
        parents=candidate.parents,
        score=evaluation.score if isinstance(evaluation, Scored) else None,
        cause=evaluation.cause if isinstance(evaluation, Failed) else None,
        features=evaluation.features if isinstance(evaluation, Scored) else {},
        calls=cost.calls,
        tokens=cost.tokens,
        money=cost.money,
        seconds=cost.seconds,
        tier=record.tier,
        model=asked,
        guidance=candidate.guidance,
        held=candidate.content is not None,
        action=candidate.action,
    )


class Store(Component, ABC):
    """Keeps campaigns. One process writes to a campaign at a time; any number may read.

    Every method raises `StoreError` when the store cannot do what was asked; what `append` has returned
    from is never lost by the death of the process.
    """

    url: str

    def beside(self, what: str) -> Path:
        """A folder for what belongs to the store's campaigns and is too large for it; it need not exist."""
        return Path(f"evoengine-{what}")

    @abstractmethod
    def open(self, *, create: bool = True) -> None:
        """Opens it, migrating an older schema.

        Raises:
            StoreError: it is missing and `create` is False, is no store, or was written by a newer version.
        """

    @abstractmethod
    def close(self) -> None:
        """Closes it. May be called again."""

    @abstractmethod
    def campaigns(self) -> list[CampaignRow]:
        """All campaigns, oldest first."""

    @abstractmethod
    def create(
        self, *, name: str, problem: str, fingerprint: str, seed: int, settings: Mapping[str, Any]
    ) -> CampaignRow:
        """A new campaign."""

    @abstractmethod
    def writer(self, campaign: CampaignRow) -> AbstractContextManager[None]:
        """Holds the right to append to a campaign, against other processes."""

    @abstractmethod
    def append(self, campaign: CampaignRow, records: Sequence[Record]) -> None:
        """Adds records, in order, in one transaction; durable when it returns.

        Raises:
            StoreError: they cannot be written, or their numbers do not go on from the last; none is added.
        """

    @abstractmethod
    def last(self, campaign: CampaignRow) -> int:
        """The number of the last record, 0 when there is none."""

    @abstractmethod
    def replay(self, campaign: CampaignRow, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """The records numbered above `after` (up to `until`), in order."""

    @abstractmethod
    def records(self, campaign: CampaignRow, numbers: Iterable[int]) -> dict[int, Record]:
        """The records of these numbers."""

    def outlines(self, campaign: CampaignRow, after: int = 0, until: int | None = None) -> Iterator[Outline]:
        """The records numbered above `after` (up to `until`) in brief, in order; no text of theirs is read."""
        return map(outline_of, self.replay(campaign, after, until))

    def parents(self, campaign: CampaignRow, after: int = 0) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The number of each record above `after` with those of its parents, in order."""
        return ((one.number, one.parents) for one in self.outlines(campaign, after))

    def elite(self, campaign: CampaignRow, number: int) -> tuple[Content, Scored]:
        """The content and the score of a record.

        Raises:
            KeyError: there is no such record, or it lacks one of them.
        """
        record = self.records(campaign, [number])[number]
        if record.candidate.content is None or not isinstance(record.evaluation, Scored):
            raise KeyError(number)
        return record.candidate.content, record.evaluation

    @abstractmethod
    def digests(self, campaign: CampaignRow, until: int) -> set[str]:
        """The digests of all contents in records 1 to `until`."""

    @abstractmethod
    def score(self, campaign: CampaignRow, number: int) -> float | None:
        """The score of a record, if it has one.

        Raises:
            KeyError: there is no such record.
        """

    @abstractmethod
    def recall(self, fingerprint: str, digest: str) -> Judgement | None:
        """What a content was judged to be in any campaign of this fingerprint, if it has a score."""

    @abstractmethod
    def save_state(self, campaign: CampaignRow, number: int, state: Mapping[str, Any]) -> None:
        """Keeps the fold's state after a record, to shorten replays; older ones may go."""

    @abstractmethod
    def load_state(self, campaign: CampaignRow, at_most: int) -> tuple[int, dict[str, Any]] | None:
        """The newest kept state after a record numbered `at_most` or less."""

    @abstractmethod
    def add_check(self, campaign: CampaignRow, check: Check) -> None:
        """Keeps an examination; replaces an earlier one of the same record and stage."""

    @abstractmethod
    def checks(self, campaign: CampaignRow, number: int | None = None) -> list[Check]:
        """All examinations, by record; or those of one record."""

    @abstractmethod
    def add_update(self, campaign: CampaignRow, update: Update) -> None:
        """Keeps an update of weights; replaces an earlier one of the same number."""

    @abstractmethod
    def updates(self, campaign: CampaignRow) -> list[Update]:
        """All updates of weights, by number."""

    @abstractmethod
    def decide(self, campaign: CampaignRow, action: Action) -> int:
        """Puts what a person decided into the queue of a campaign, which any process may do; gives its place.

        It becomes a record as soon as the campaign goes on.
        """

    @abstractmethod
    def decided(self, campaign: CampaignRow, after: int = 0) -> list[Action]:
        """What stands in the queue behind the place `after`, in order."""

    @abstractmethod
    def begin_run(self, campaign: CampaignRow) -> int:
        """Notes that a run of a campaign begins; gives the run's number."""

    @abstractmethod
    def note_run(self, run: int, seconds: float, reason: str | None = None) -> None:
        """Notes how long a run has lasted so far, and why it ended."""

    @abstractmethod
    def seconds(self, campaign: CampaignRow) -> float:
        """How long all runs of a campaign lasted together, wall time."""

    @abstractmethod
    def search(self, text: str, limit: int = 20) -> list[tuple[str, int, str]]:
        """Records whose source holds these words: campaign name, record number, an excerpt."""

    @abstractmethod
    def content(self, digest: str) -> Content | None:
        """A content by its address."""

    def campaign(self, name: str) -> CampaignRow | None:
        """A campaign by name."""
        return next((row for row in self.campaigns() if row.name == name), None)
