"""Parts of a prompt, and which of them there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

_BYTES_PER_TOKEN = 3.0
"""Fewer than tokenizers of code models make of code (3.2 to 4.2): an estimate that is a little high."""
_LEFT_OUT = "\n[... left out ...]\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a prompt.

    Attributes:
        worth: parts of less worth are dropped first; None is never dropped.
        least: tokens that it may be cut to where it cannot be dropped; None for not at all.
    """

    text: str
    worth: float | None = None
    least: int | None = None


def tokens_of(text: str) -> int:
    """About how many tokens a text has; rather too many than too few."""
    return int(len(text.encode("utf-8", "surrogatepass")) / _BYTES_PER_TOKEN) + 1


def fitted(parts: Sequence[Part], tokens: int) -> list[Part]:
    """The parts that a number of tokens has room for, in their order.

    The least worth is dropped first, of equals the later one; then those that may be are cut, in their middle.
    What must be there is there, even when it is too long.
    """
    kept = [part for part in parts if part.text]
    over = sum(tokens_of(part.text) for part in kept) - tokens
    droppable = [(part.worth, -place, place) for place, part in enumerate(kept) if part.worth is not None]
    gone = set()
    for _, _, place in sorted(droppable):
        if over <= 0:
            break
        gone.add(place)
        over -= tokens_of(kept[place].text)
    kept = [part for place, part in enumerate(kept) if place not in gone]
    for place, part in enumerate(kept):
        if over > 0 and part.least is not None:
            has = tokens_of(part.text)
            room = max(part.least, has - over - tokens_of(_LEFT_OUT))
            if room < has:
                kept[place] = replace(part, text=shortened(part.text, room))
                over -= has - tokens_of(kept[place].text)
    return kept


def shortened(text: str, tokens: int) -> str:
    """A text cut in its middle to about so many tokens: errors say the most at their ends."""
    if tokens_of(text) <= tokens:
        return text
    raw = text.encode("utf-8", "surrogatepass")
    half = int(tokens * _BYTES_PER_TOKEN / 2)
    head, tail = raw[:half].decode("utf-8", "ignore"), raw[len(raw) - half :].decode("utf-8", "ignore")
    return head + _LEFT_OUT + tail
