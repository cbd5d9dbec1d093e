"""When a run ends: conditions that compose with `|` (either) and `&` (both)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from evoengine.events import Progress


class Stop(ABC):
    """A condition on a campaign's progress.

    It is asked before each proposal, with the progress that the proposal was drafted from and the evaluations
    spent before it; proposals that were made before are always finished and kept.
    """

    @abstractmethod
    def reason(self, progress: Progress) -> str | None:
        """Why the run should end, or None while it should go on."""

    def __or__(self, other: Stop) -> Stop:
        return Either(self, other)

    def __and__(self, other: Stop) -> Stop:
        return Both(self, other)


@dataclass(frozen=True)
class Either(Stop):
    """One of two conditions is enough."""

    one: Stop
    other: Stop

    def reason(self, progress: Progress) -> str | None:
        return self.one.reason(progress) or self.other.reason(progress)


@dataclass(frozen=True)
class Both(Stop):
    """Two conditions must hold at once."""

    one: Stop
    other: Stop

    def reason(self, progress: Progress) -> str | None:
        first, second = self.one.reason(progress), self.other.reason(progress)
        return f"{first} and {second}" if first and second else None


@dataclass(frozen=True)
class Never(Stop):
    """Goes on until it is interrupted."""

    def reason(self, progress: Progress) -> str | None:  # noqa: ARG002  # it never looks
        return None


@dataclass(frozen=True)
class Evaluations(Stop):
    """A number of evaluations is spent: judged calls, and one for each record that needed none."""

    limit: int

    def reason(self, progress: Progress) -> str | None:
        return f"{self.limit} evaluations are spent" if progress.evaluations >= self.limit else None


@dataclass(frozen=True)
class Records(Stop):
    """A number of records is reached."""

    limit: int

    def reason(self, progress: Progress) -> str | None:
        return f"{self.limit} records are there" if progress.records >= self.limit else None


@dataclass(frozen=True)
class Seconds(Stop):
    """This run has taken a number of seconds."""

    limit: float

    def reason(self, progress: Progress) -> str | None:
        return f"{self.limit:g} seconds are over" if progress.seconds >= self.limit else None


@dataclass(frozen=True)
class Reached(Stop):
    """The best score ("higher is better") is at least this."""

    score: float
    shown: float
    """The same in the problem's own direction, for the message."""

    def reason(self, progress: Progress) -> str | None:
        reached = progress.best is not None and progress.best >= self.score
        return f"the target {self.shown:g} is reached" if reached else None


@dataclass(frozen=True)
class Tokens(Stop):
    """A number of tokens is spent."""

    limit: int

    def reason(self, progress: Progress) -> str | None:
        return f"{self.limit} tokens are spent" if progress.tokens >= self.limit else None


@dataclass(frozen=True)
class Money(Stop):
    """An amount of money is spent, US dollars."""

    limit: float

    def reason(self, progress: Progress) -> str | None:
        return f"{self.limit:g} dollars are spent" if progress.money >= self.limit else None


@dataclass(frozen=True)
class Stalled(Stop):
    """The best score has not risen for a number of records."""

    limit: int

    def reason(self, progress: Progress) -> str | None:
        return f"no improvement in {self.limit} records" if progress.stalled >= self.limit else None


def limits(
    stop: Stop | None = None,
    *,
    evaluations: int | None = None,
    seconds: float | None = None,
    tokens: int | None = None,
    money: float | None = None,
) -> Stop:
    """A condition that holds when any of these is reached, or another condition holds."""
    condition: Stop = stop or Never()
    if evaluations is not None:
        condition |= Evaluations(evaluations)
    if seconds is not None:
        condition |= Seconds(seconds)
    if tokens is not None:
        condition |= Tokens(tokens)
    if money is not None:
        condition |= Money(money)
    return condition
