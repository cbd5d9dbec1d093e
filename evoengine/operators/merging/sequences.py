"""Two changed sequences beside the one that they are from, cut where both still agree with it.

diff3 (Khanna, Kunal and Pierce 2007, "A formal investigation of diff3"), with elements that may be matched although
one side has changed them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple, TypeAlias

Keys: TypeAlias = Sequence[Hashable]


class Match(NamedTuple):
    """One element of the old sequence that is, perhaps changed, in a new one."""

    old: int
    new: int


class Chunk(NamedTuple):
    """Elements that belong together: of the old sequence, and what each side has in their place.

    Attributes:
        stable: whether it is a single element that both sides still have.
    """

    old: range
    first: range
    second: range
    stable: bool


def matches(old: Sequence[Keys], new: Sequence[Keys], alike: Sequence[Keys] | None = None) -> list[Match]:
    """Which elements of two sequences are one and the same, in order.

    Args:
        old: keys of the old sequence's elements by level, the strictest level first. A later level only matches what
            lies between two matches of those before it.
        new: the same of the new one.
        alike: keys (old, new) by which elements are matched last, where all of a gap are alike one by one.
    """
    found: list[Match] = []
    ends = Match(len(old[0]), len(new[0]))
    for one, other in zip(old, new, strict=True):
        found += [match for gap in _gaps(found, ends) for match in _common(one, other, *gap)]
        found.sort()
    if alike is not None:
        for before, after in _gaps(found, ends):
            kinds = [alike[0][before.old : after.old], alike[1][before.new : after.new]]
            if kinds[0] and list(kinds[0]) == list(kinds[1]):
                found += [Match(before.old + at, before.new + at) for at in range(len(kinds[0]))]
    return sorted(found)


def _gaps(found: Sequence[Match], ends: Match) -> list[tuple[Match, Match]]:
    """Where the elements between matches begin and end, empty gaps included."""
    fixed = [Match(-1, -1), *found, ends]
    return [(Match(before.old + 1, before.new + 1), after) for before, after in pairwise(fixed)]


def _common(one: Keys, other: Keys, start: Match, end: Match) -> list[Match]:
    if start.old == end.old or start.new == end.new:
        return []
    matcher = SequenceMatcher(None, one[start.old : end.old], other[start.new : end.new], autojunk=False)
    return [
        Match(start.old + block.a + at, start.new + block.b + at)
        for block in matcher.get_matching_blocks()
        for at in range(block.size)
    ]


def chunks(first: Sequence[Match], second: Sequence[Match], old: int, sizes: tuple[int, int]) -> Iterator[Chunk]:
    """The sequences cut into elements that both sides still have, and what lies between them; empty chunks left out.

    Args:
        first: what of the old sequence the first side has.
        second: the same of the second.
        old: length of the old sequence.
        sizes: lengths of both sides.
    """
    others = dict(second)
    both = [(match.old, match.new, others[match.old]) for match in first if match.old in others]
    at = (0, 0, 0)
    for place in [*both, (old, *sizes)]:
        spans = [range(start, end) for start, end in zip(at, place, strict=True)]
        if any(spans):
            yield Chunk(spans[0], spans[1], spans[2], stable=False)
        if place[0] < old:
            one, first_at, second_at = place
            yield Chunk(
                range(one, one + 1), range(first_at, first_at + 1), range(second_at, second_at + 1), stable=True
            )
        at = (place[0] + 1, place[1] + 1, place[2] + 1)
