"""Foreign text made ready to be looked at: bounded, with nothing invisible in it, and never markup."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from markupsafe import Markup, escape

from evoengine.readable import plain
from evoengine.types import Content, Program

MOST = 100_000
"""Characters of one text that a page shows."""
_MOST_HIGHLIGHTED = 40_000
_MOST_COMPARED = 2_000
"""Lines; of those that differ, on either side."""
_MOST_SHOWN = 3_000
"""Lines of a difference."""
_MOST_WIDE = 2_000
"""Characters of one line of a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text as a page shows it.

    Attributes:
        shown: escaped.
        length: of the whole, in characters.
        omitted: how many characters are not shown.
    """

    shown: Markup
    length: int
    omitted: int


def text_of(text: str, language: str | None = None) -> Text:
    """A foreign text, highlighted where a language is given and it is not too long for that."""
    head = plain(text[:MOST])
    highlights = language is not None and len(head) <= _MOST_HIGHLIGHTED
    shown = _highlighted(head, language or "") if highlights else escape(head)
    return Text(shown=shown, length=len(text), omitted=max(0, len(text) - MOST))


@lru_cache(maxsize=64)
def _highlighted(text: str, language: str) -> Markup:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(text)
    return Markup(highlight(text, lexer, HtmlFormatter(nowrap=True, classprefix="p-")))  # its formatter escapes


def parts_of(content: Content | None) -> dict[str, str]:
    """The texts of a content by name, the file that is run first."""
    match content:
        case None:
            return {}
        case Program(files=files, main=main):
            return {main: files[main], **{path: text for path, text in sorted(files.items()) if path != main}}
        case _:
            return dict(content.sections)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a difference: `kind` is "added", "removed", "same", "place" or "file"."""

    kind: str
    text: str


_KINDS = {"+": "added", "-": "removed", "@": "place"}


def difference(before: Content | None, after: Content | None) -> list[Line] | None:
    """How two contents differ, file by file; None where they are too long to be compared."""
    one, other = parts_of(before), parts_of(after)
    lines: list[Line] = []
    for name in sorted({*one, *other}):
        old, new = one.get(name, ""), other.get(name, "")
        if old == new:
            continue
        if max(len(old), len(new)) > MOST:
            return None
        found = _compared(plain(old).splitlines(), plain(new).splitlines())
        if found is None:
            return None
        if len({*one, *other}) > 1:
            lines.append(Line(kind="file", text=name))
        lines.extend(found)
    return lines


def _compared(old: Sequence[str], new: Sequence[str]) -> list[Line] | None:
    """A unified difference. What is equal at the ends is taken off first: comparing the rest may take its square."""
    same = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        same += 1
    start = max(0, same - 3)
    tail = 0
    for one, other in zip(reversed(old[same:]), reversed(new[same:]), strict=False):
        if one != other:
            break
        tail += 1
    drop = max(0, tail - 3)
    old, new = old[start : len(old) - drop], new[start : len(new) - drop]
    if max(len(old), len(new)) > _MOST_COMPARED:
        return None
    return list(islice(_lines(old, new, start), _MOST_SHOWN))


def _lines(old: Sequence[str], new: Sequence[str], start: int) -> Iterator[Line]:
    for line in islice(difflib.unified_diff(old, new, lineterm="", n=3), 2, None):
        kind = _KINDS.get(line[:1], "same")
        if kind == "place":
            yield Line(kind=kind, text=f"from line {start + _first(line)}")
        else:
            yield Line(kind=kind, text=line[:_MOST_WIDE])


def _first(line: str) -> int:
    """The first line of the newer side of a place, from `@@ -1,2 +3,4 @@`."""
    return max(1, int(line.split("+", 1)[1].split(" ", 1)[0].split(",", 1)[0]))
