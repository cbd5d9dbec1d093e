"""Texts as lines: their words, their white space and the places where some lines stand in others."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n)|([^\r\n]+)")


class Line(NamedTuple):
    """A line of a text."""

    text: str
    """Without its end."""
    end: str
    """What ends it: "\\n", "\\r\\n", "\\r", or "" for a last line that nothing ends."""

    @property
    def indent(self) -> str:
        """The spaces and tabs that it begins with."""
        return self.text[: len(self.text) - len(self.text.lstrip(" \t"))]


class Word(NamedTuple):
    """A line that is not blank, less its white space at both sides."""

    at: int
    """The line's place in its text, from 0."""
    indent: str
    key: str


def lines_of(text: str) -> list[Line]:
    """The lines of a text, divided where Python and editors do (not at form feeds, as `str.splitlines` does)."""
    return [Line(match[1], match[2]) if match[2] else Line(match[3], "") for match in _LINE.finditer(text)]


def joined(lines: Sequence[Line]) -> str:
    """The text of lines."""
    return "".join(line.text + line.end for line in lines)


def newline_of(lines: Sequence[Line]) -> str:
    """The line end that a text uses most."""
    ends = [line.end for line in lines if line.end]
    return max(("\n", "\r\n", "\r"), key=ends.count)


def words_of(texts: Sequence[str]) -> list[Word]:
    """The lines that are not blank."""
    found = []
    for at, text in enumerate(texts):
        key = text.strip()
        if key:
            found.append(Word(at, text[: len(text) - len(text.lstrip(" \t"))], key))
    return found


class Index:
    """The words of one text, found by their keys."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.words = words_of(texts)
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(self.words):
            self._places[word.key].append(place)

    @property
    def unit(self) -> int:
        """Spaces of one level of indent: the commonest step inwards; 4 when there is none."""
        steps = Counter(
            len(word.indent) - len(before.indent)
            for before, word in pairwise(self.words)
            if len(word.indent) > len(before.indent) and "\t" not in word.indent
        )
        return min(steps, key=lambda step: (-steps[step], step)) if steps else 4

    def runs(self, keys: Sequence[str]) -> Iterator[int]:
        """Where in `words` runs with exactly these keys begin, in order."""
        if not keys:
            return
        counts = [len(self._places.get(key, ())) for key in keys]
        rarest = counts.index(min(counts))
        starts = (place - rarest for place in self._places.get(keys[rarest], ()))
        for start in starts:
            fits = start >= 0 and start + len(keys) <= len(self.words)
            if fits and all(self.words[start + at].key == key for at, key in enumerate(keys)):
                yield start
