"""What a merge gives, and who has the last word in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

Side: TypeAlias = Literal["first", "second"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Generic[T]):
    """The outcome of a merge.

    Attributes:
        content: with the changes of both sides; where they conflict, with those of the side that has the last word.
        conflicts: where they do, for people; none when every change of both sides is in the content.
    """

    content: T
    conflicts: tuple[str, ...] = ()


@dataclass(slots=True)
class Merger:
    """Decides between two sides, and keeps where it had to choose.

    Attributes:
        last_word: the side that is taken where both changed one thing in different ways.
        conflicts: filled while a merge goes on.
    """

    last_word: Side = "first"
    conflicts: list[str] = field(default_factory=list)

    def chosen(self, first: T, second: T, where: str) -> T:
        """The side that has the last word, for a conflict that is kept."""
        self.conflicts.append(where)
        return first if self.last_word == "first" else second


def shown(text: str) -> str:
    """The first line of a text that says something, in backquotes."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"`{line[:100]}`"


def shown_of(*texts: Sequence[str]) -> str:
    """The first of several texts that says something, in backquotes."""
    return shown("\n".join(text for part in texts for text in part))
