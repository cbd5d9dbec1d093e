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
        worth: what is of less worth goes first; None always stays.
        least: tokens that it is cut to, in the place of being dropped.
    """

    text: str
    worth: float | None = None
    least: int | None = None


def tokens_of(text: str) -> int:
    """About how many tokens a text has; rather too many than too few."""
    return int(len(text.encode("utf-8", "surrogatepass")) / _BYTES_PER_TOKEN) + 1


def fitted(parts: Sequence[Part], tokens: int) -> list[Part]:
    """The parts that a number of tokens has room for, in their order.

    The least worth is dropped first, or cut in its middle, until the rest fits; of equals the later one. What must be
    there is there, even when it is too long.
    """
    kept: dict[int, Part] = {place: part for place, part in enumerate(parts) if part.text}
    over = sum(tokens_of(part.text) for part in kept.values()) - tokens
    for _, _, place in sorted((part.worth, -at, at) for at, part in kept.items() if part.worth is not None):
        if over <= 0:
            break
        part = kept.pop(place)
        over -= tokens_of(part.text)
        if part.least is not None:
            cut = shortened(part.text, max(part.least, -over - tokens_of(_LEFT_OUT)))
            kept[place] = replace(part, text=cut)
            over += tokens_of(cut)
    return [kept[place] for place in sorted(kept)]


def shortened(text: str, tokens: int) -> str:
    """A text cut in its middle to about so many tokens: errors say the most at their ends."""
    if tokens_of(text) <= tokens:
        return text
    raw = text.encode("utf-8", "surrogatepass")
    half = (int(tokens * _BYTES_PER_TOKEN) - 1) // 2
    end, start = half, len(raw) - half
    while _inside(raw, end):
        end -= 1
    while _inside(raw, start):
        start += 1
    return _decoded(raw[:end]) + _LEFT_OUT + _decoded(raw[start:])


def _inside(raw: bytes, at: int) -> bool:
    """Whether a cut there would be within a character."""
    return 0 < at < len(raw) and raw[at] & 0xC0 == 0x80


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")
