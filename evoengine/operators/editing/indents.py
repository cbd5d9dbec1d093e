"""How the white space at the beginning of a model's lines is turned into that of the program."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_WIDTHS = (8, 4, 3, 2)


class Pair(NamedTuple):
    """The indents of two lines that are the same otherwise."""

    written: str
    """By the model."""
    found: str
    """In the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindent:
    """One and the same change of all indents: tabs to spaces or spaces to tabs, then more or less at the front."""

    spaces: int = 0
    """Each tab becomes this many spaces, or, when negative, so many spaces become a tab; 0: none does."""
    more: str = ""
    less: str = ""
    level: int = 0
    """Spaces of one level as written; 0: levels are as wide as the program's."""
    unit: int = 4
    """Spaces of one level in the program."""

    def __call__(self, indent: str) -> str | None:
        """The indent in the program's manner, or None if it cannot be said."""
        if self.level:
            levels, rest = divmod(len(indent), self.level)
            return None if rest or "\t" in indent else " " * (levels * self.unit)
        if self.spaces > 0:
            indent = indent.replace("\t", " " * self.spaces)
        elif self.spaces < 0:
            levels, rest = divmod(len(indent.expandtabs(-self.spaces)), -self.spaces)
            if rest:
                return None
            indent = "\t" * levels
        if not indent.startswith(self.less):
            return None
        return self.more + indent[len(self.less) :]

    @property
    def changes_nothing(self) -> bool:
        """Whether every indent stays as it is."""
        return not (self.spaces or self.more or self.less or self.level)


def reindents(pairs: Sequence[Pair], others: Collection[str], unit: int) -> Iterator[Reindent]:
    """The changes that turn every written indent of the pairs into the one found, the likeliest first.

    Args:
        pairs: of all lines that were matched.
        others: further indents that the model wrote, which the change has to make sense for.
        unit: spaces of one level of indent in the program.
    """
    distinct = set(pairs)
    lengths = {len(pair.written) for pair in distinct} | {len(other) for other in others}
    tabs_found = any("\t" in pair.found for pair in distinct)
    tabs_written = any("\t" in pair.written for pair in distinct) or any("\t" in other for other in others)
    if tabs_found == tabs_written or not any(pair.found for pair in distinct):
        widths = [0]
    elif tabs_written:
        widths = [unit]
    else:
        widths = [-width for width in _WIDTHS if all(length % width == 0 for length in lengths)]
    plain = [Reindent(spaces=width) for width in widths]
    yield from (one for one in plain if all(one(pair.written) == pair.found for pair in distinct))
    for width in widths:
        yield from _shifts(distinct, width)
    if len(distinct) > 1 and not tabs_found and not tabs_written:
        scaled = [Reindent(level=width, unit=unit) for width in _WIDTHS if width != unit]
        yield from (one for one in scaled if all(one(pair.written) == pair.found for pair in distinct))


def _shifts(pairs: set[Pair], spaces: int) -> Iterator[Reindent]:
    """The change that only puts more or less at the front, if there is one."""
    convert = Reindent(spaces=spaces)
    turned = [(convert(pair.written), pair.found) for pair in pairs]
    first, found = turned[0]
    if first is None:
        return
    size = len(found) - len(first)
    shift = Reindent(spaces=spaces, more=found[: max(size, 0)], less=first[: max(-size, 0)])
    if all(shift(pair.written) == pair.found for pair in pairs):
        yield shift
