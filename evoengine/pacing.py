"""Which proposals may be drafted after which record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Pace(Protocol):
    """Says what is drafted when; numbers are those of records, and a proposal's is that of the record it becomes."""

    @property
    def ahead(self) -> int:
        """How many proposals can be drafted and not yet recorded."""
        ...

    @property
    def look_back(self) -> int:
        """From how many records before the last one a replay makes all drafts anew that are not recorded yet."""
        ...

    def due(self, number: int, seeds: int) -> range:
        """The proposals that are drafted after a record, when the first `seeds` records are seeds."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """Proposal k is drafted after record k - `size`."""

    size: int

    @property
    def ahead(self) -> int:
        return self.size

    @property
    def look_back(self) -> int:
        return self.size

    def due(self, number: int, seeds: int) -> range:
        if number < seeds:
            return range(0)
        first = seeds + 1 if number == seeds else number + self.size
        return range(first, number + self.size + 1)


@dataclass(frozen=True, slots=True)
class Steps:
    """Proposals come in steps of `size`, each drafted as a whole after the step before it, or `lag` steps earlier.

    Steps are counted from 1. After each step one update of the mutator's weights falls due, which makes the version
    of the policy that has the step's number; the one that is there at the beginning is version 0.
    """

    size: int
    lag: int = 0

    @property
    def ahead(self) -> int:
        return self.size * (self.lag + 1)

    @property
    def look_back(self) -> int:
        return self.size * (self.lag + 2)

    def due(self, number: int, seeds: int) -> range:
        done, rest = divmod(number - seeds, self.size)
        if number < seeds or rest:
            return range(0)
        first = 1 if done == 0 else done + self.lag + 1
        return range(self.first(first, seeds), self.last(done + self.lag + 1, seeds) + 1)

    def step_of(self, number: int, seeds: int) -> int:
        """The step of a record; 0 for seeds."""
        return 0 if number <= seeds else (number - seeds - 1) // self.size + 1

    def first(self, step: int, seeds: int) -> int:
        """The number of a step's first record."""
        return seeds + (step - 1) * self.size + 1

    def last(self, step: int, seeds: int) -> int:
        """The number of a step's last record."""
        return seeds + step * self.size

    def version(self, step: int) -> int:
        """Of the policy that is asked in a step."""
        return max(0, step - 1 - self.lag)
