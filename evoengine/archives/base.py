"""The interface of archives."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from typing import Any

from evoengine.component import Component
from evoengine.types import Content, Elite, Elites, Feature, Insertion, Scored

__all__ = ["Archive", "Elites"]


class Archive(Component, ABC):
    """Keeps the best candidate of every cell of behaviour space. An elite owns the cell of its features.

    What it holds is a function of the sequence of its `add`, `clear` and `remove` calls alone.
    """

    @abstractmethod
    def open(self, features: tuple[Feature, ...]) -> None:
        """Makes it empty, over these axes; called before anything else."""

    @abstractmethod
    def add(self, number: int, content: Content, scored: Scored) -> Insertion:
        """Offers a candidate; an incumbent with an equal score stays."""

    @abstractmethod
    def clear(self) -> None:
        """Forgets all elites (and nothing that was learnt of the bounds)."""

    def remove(self, numbers: Collection[int]) -> None:
        """Takes the elites of these records out, as far as it has them; whom they had replaced does not come back."""
        kept = [elite for elite in self if elite.number not in numbers]
        if len(kept) == len(self):
            return
        self.clear()
        for elite in sorted(kept, key=lambda one: one.number):
            self.add(elite.number, elite.content, elite.scored)

    @property
    @abstractmethod
    def elites(self) -> Elites:
        """The elites, for selectors."""

    @abstractmethod
    def __iter__(self) -> Iterator[Elite]: ...  # type: ignore[override]  # pydantic iterates over fields

    @abstractmethod
    def __len__(self) -> int: ...

    def numbers(self) -> list[int]:
        """The record numbers of the elites, in the order of iteration."""
        return [elite.number for elite in self]

    @abstractmethod
    def best(self) -> Elite | None:
        """The elite with the highest score; of several the oldest."""

    def leaders(self, count: int) -> list[tuple[int, Content, Scored]]:
        """Number, content and score of the best `count` elites, as far as there are so many, the best first."""
        ranked = (self.elites.ranked(rank) for rank in range(min(count, len(self))))
        return [(elite.number, elite.content, elite.scored) for elite in ranked]

    @abstractmethod
    def sample(self, rng: random.Random, n: int = 1) -> list[Elite]:
        """`n` elites, uniformly, with replacement.

        Raises:
            IndexError: the archive is empty.
        """

    @property
    @abstractmethod
    def coverage(self) -> float:
        """The share of cells that are owned, 0 to 1."""

    @property
    @abstractmethod
    def qd_score(self) -> float:
        """The sum over elites of the score less `qd_offset` (Pugh et al. 2016, doi:10.3389/frobt.2016.00040)."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What a later `restore` needs beside the elites, as JSON values: elites by record number only."""

    @abstractmethod
    def restore(self, state: dict[str, Any], elites: dict[int, tuple[Content, Scored]]) -> None:
        """Takes up a `state`, given contents and scores of the record numbers that it names."""
