"""What a campaign tells those who watch it. Nothing that a watcher does changes the campaign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from evoengine.types import Insertion, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a campaign stands; all but `seconds` follows from its records.

    Attributes:
        evaluations: judged calls, and one for each record that needed none: what a budget of evaluations counts.
        best: the best score so far, "higher is better".
        stalled: records since the best score rose.
        seconds: since this run began.
    """

    records: int = 0
    evaluations: int = 0
    tokens: int = 0
    money: float = 0.0
    best: float | None = None
    stalled: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run began (or went on, when `resumed` records were there already)."""

    campaign: str
    resumed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A record is stored and taken in."""

    record: Record
    insertion: Insertion
    improved: bool
    """Whether it is the best so far."""
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """The mutator's weights were updated.

    Attributes:
        number: of the update, from 1.
        record: the last one that was there when it fell due.
        facts: figures by name; None where one was not finite.
    """

    number: int
    record: int
    facts: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Halting:
    """Someone asked the run to end; what is in flight is being finished."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The run ended, and why."""

    reason: str
    progress: Progress


Event: TypeAlias = Started | Committed | Updated | Halting | Stopped
Watcher: TypeAlias = Callable[[Event], None]
