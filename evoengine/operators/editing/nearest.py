"""The lines of a text that are most like what a model searched for: what it is told when nothing fits."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

_TOKEN = re.compile(r"\w+|[^\w\s]")
_TRIED = 4
_LONGEST = 4_000
_SEARCHED = 60


class Numbered(NamedTuple):
    """A line with its number, from 1."""

    number: int
    text: str


def nearest_lines(texts: Sequence[str], search: Sequence[str], most: int = 30) -> tuple[Numbered, ...]:
    """The part of a text most like the lines searched for: as many lines, `most` at most, or none.

    Lines vote for where the search would begin, by the rare words that they share with it; `difflib` decides
    between the few best. So the time grows with the text's length and not with its square.
    """
    wanted = [(at, set(_TOKEN.findall(text))) for at, text in enumerate(search) if text.strip()][:_SEARCHED]
    if not wanted:
        return ()
    holders: dict[str, list[int]] = defaultdict(list)
    words = set().union(*(tokens for _, tokens in wanted))
    sizes = []
    for at, text in enumerate(texts):
        tokens = set(_TOKEN.findall(text))
        sizes.append(len(tokens))
        for token in tokens & words:
            holders[token].append(at)
    common = max(50, len(texts) // 20)
    votes: Counter[int] = Counter()
    for at, tokens in wanted:
        shared: Counter[int] = Counter()
        for token in tokens:
            places = holders.get(token, ())
            if places and len(places) <= common:
                weight = math.log(1 + len(texts) / len(places))
                for place in places:
                    shared[place] += weight  # type: ignore[assignment]  # a counter of floats
        for place, weight in shared.items():
            votes[place - at] += weight / (1 + abs(sizes[place] - len(tokens)))  # type: ignore[assignment]
    if not votes:
        return ()
    size = min(len(search), most)
    tried = sorted(votes, key=lambda start: (-votes[start], start))[:_TRIED]
    text = "\n".join(line.strip() for line in search)[:_LONGEST]
    matcher = SequenceMatcher(a="", b=text, autojunk=True)

    def likeness(start: int) -> float:
        window = texts[max(start, 0) : max(start, 0) + len(search)]
        matcher.set_seq1("\n".join(line.strip() for line in window)[:_LONGEST])
        return matcher.ratio()

    best = max(tried, key=lambda start: (likeness(start), -start))
    low = min(max(best, 0), max(len(texts) - 1, 0))
    return tuple(Numbered(low + at + 1, text) for at, text in enumerate(texts[low : low + size]))
