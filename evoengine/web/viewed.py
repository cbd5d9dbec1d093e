"""A campaign as the pages look at it, and the values that a request may give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evoengine.chronicle import Chronicle
from evoengine.gallery import Gallery
from evoengine.pictures import Picture, Undrawn
from evoengine.readable import plain
from evoengine.stores.base import CampaignRow, Store
from evoengine.types import EVERY_ISLAND, GUIDANCE, Failed, Record, Scored
from evoengine.web.errors import Unknown, Wrong
from evoengine.web.links import Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
    """A campaign with all that its pages are made from.

    Attributes:
        chronicle: may be behind the store.
        last: the number of the last record in the store.
        gallery: draws records.
    """

    store: Store
    row: CampaignRow
    chronicle: Chronicle
    last: int
    links: Links
    gallery: Gallery

    def record(self, number: int) -> Record:
        """One record, from the store.

        Raises:
            Unknown: there is none of that number.
        """
        found = self.store.records(self.row, [number]) if 1 <= number <= self.last else {}
        if number not in found:
            raise Unknown(f"This campaign has no record {number}; its records are 1 to {self.last}.")
        return found[number]

    def drawn(self, record: Record) -> dict[str, Any] | None:
        """The picture of a record as a page shows it, or why there is none; None where none is to be expected."""
        match self.gallery.picture(self.row, record):
            case Picture() as picture:
                source = self.links.picture(record.number, picture)
                words = {"title": picture.title or "a picture of it", "description": picture.description}
                return {"number": record.number, "source": source, "why": "", **words}
            case Undrawn(why=why):
                return {"number": record.number, "source": None, "why": why}
            case None:
                return None

    def shown(self, score: float | None) -> float | None:
        """A score as the problem's own value."""
        return None if score is None else self.chronicle.shown(score)

    def outcome(self, number: int) -> float | str:
        """The value of a record, or why it has none; of those that the chronicle has read."""
        from evoengine.chronicle import SCORED
        from evoengine.types import Cause

        score = self.chronicle.score(number)
        if score is not None:
            return self.chronicle.shown(score)
        if not 1 <= number <= self.chronicle.count:
            return "not read yet"
        place = int(self.chronicle.columns["cause"][number - 1])
        return "guides" if place == SCORED else str(list(Cause)[place])


def outcome_of(viewed: Viewed, record: Record) -> float | str:
    """The value of a record, or why it has none."""
    match record.evaluation:
        case Scored(score=score):
            return "guides" if record.candidate.island == GUIDANCE else viewed.chronicle.shown(score)
        case Failed(cause=cause):
            return str(cause)


def island_name(place: int) -> str:
    """An island for people."""
    return {EVERY_ISLAND: "every island", GUIDANCE: "guidance"}.get(place, f"island {place}")


class Query:
    """The values of an address, checked when they are asked for.

    Args:
        given: by name.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given

    def text(self, name: str) -> str | None:
        """A text; None where there is none or an empty one."""
        return self._given.get(name, "").strip() or None

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`.

        Raises:
            Wrong: it is anything else.
        """
        text = self.text(name)
        if text is None:
            return None
        number = whole_of(text)
        if number is None or not low <= number <= high:
            raise Wrong(f"{name} should be a whole number from {low} to {high}, not {_cut(text)}.")
        return number

    def number(self, name: str) -> float | None:
        """A finite number.

        Raises:
            Wrong: it is anything else.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            value = float(text[:100])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise Wrong(f"{name} should be a number, not {_cut(text)}.")
        return value

    def choice(self, name: str, known: Iterable[str]) -> str | None:
        """One of some words.

        Raises:
            Unknown: it is none of them.
        """
        text, words = self._given.get(name, ""), list(known)
        if not text:
            return None
        if text not in words:
            raise Unknown(f"There is no {name} {_cut(text)}; there are: {', '.join(map(_cut, words[:20])) or 'none'}.")
        return text

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.text(name) is not None


def whole_of(text: str) -> int | None:
    """A whole number that a store can hold, from decimal digits."""
    return int(text) if text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= 15 else None


def _cut(text: str) -> str:
    return repr(plain(text[:60]))


def thinned(numbers: Any, most: int) -> list[int]:
    """At most so many of some numbers, evenly, with the first and the last."""
    count = len(numbers)
    if count <= most:
        return [int(one) for one in numbers]
    return [int(numbers[round(place * (count - 1) / (most - 1))]) for place in range(most)]
