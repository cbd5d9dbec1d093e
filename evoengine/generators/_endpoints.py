"""Which of several servers to ask, and when to ask one again that has failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

FIRST_REST, LONGEST_REST = 0.5, 60.0
"""Seconds that a server is left alone after a failure; twice as long after each further one."""


@dataclass(slots=True)
class Endpoint:
    """A server and how it has been doing."""

    url: str
    waiting: int = 0
    """Requests that it has not answered yet."""
    failures: int = 0
    """In a row."""
    resting_until: float = 0.0

    def failed(self, now: float, rest: float | None = None) -> None:
        """Leaves it alone for a while: as long as it asked for, or longer from failure to failure."""
        self.failures += 1
        wanted = FIRST_REST * 2.0 ** (self.failures - 1) if rest is None else rest
        self.resting_until = max(self.resting_until, now + min(LONGEST_REST, max(0.0, wanted)))

    def succeeded(self) -> None:
        """Forgets its failures."""
        self.failures, self.resting_until = 0, 0.0


class Endpoints:
    """Servers with the same model.

    Args:
        urls: at least one.
        clock: gives seconds, for tests.
    """

    def __init__(self, urls: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.all = [Endpoint(url) for url in urls]
        self._clock = clock

    def choose(self) -> tuple[Endpoint, float]:
        """The least busy of those that are not resting, or the one that rests shortest, and seconds until then."""
        now = self._clock()
        best = min(self.all, key=lambda one: (max(0.0, one.resting_until - now), one.waiting, one.failures))
        return best, max(0.0, best.resting_until - now)

    @property
    def now(self) -> float:
        """The clock's seconds."""
        return self._clock()


class Pace:
    """At most so many requests a minute, evenly: each is told how long to wait.

    Args:
        per_minute: None for as many as there are.
        clock: gives seconds, for tests.
    """

    def __init__(self, per_minute: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap = 0.0 if per_minute is None else 60.0 / per_minute
        self._clock, self._next = clock, 0.0

    def wait(self) -> float:
        """Takes the next turn; seconds until it comes."""
        now = self._clock()
        turn = max(now, self._next)
        self._next = turn + self._gap
        return turn - now
