"""The marked blocks of a program: the only parts of it that may change when there are any.

A block lies between two comment lines, `EVOLVE-BLOCK-START` and `EVOLVE-BLOCK-END`. This is their one definition.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from evoengine.operators.editing.lines import Line, lines_of
from evoengine.operators.editing.syntax import parsed

WORD = "EVOLVE-BLOCK"
_TAIL = rf"[ \t]*{WORD}-(START|END)\b([^\r\n]*)(?:\r\n|\r|\n|\Z)"
PYTHON_MARKER = re.compile((r"^[ \t]*#" + _TAIL).encode(), re.MULTILINE)
"""A marker line of a Python program with its end, in bytes; the first group is START or END."""
ANY_MARKER = re.compile(r"^[ \t]*(?:#+|//+|--+|%+|;+|<!--|/\*+|\(\*|!)" + _TAIL, re.MULTILINE)
"""A marker line of a program in any language."""
_PYTHON_TEXT = re.compile(r"^[ \t]*#" + _TAIL, re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A text cut at its marker lines.

    Attributes:
        outside: what lies before, between and behind the blocks, with the marker lines: one more than `inside`,
            or the whole text alone. A block that nothing ends lasts to the end of the text.
        inside: what lies in each block.
        labels: what stands behind the word START of each.
        markers: how many marker lines there are.
    """

    outside: tuple[str, ...]
    inside: tuple[str, ...]
    labels: tuple[str, ...]
    markers: int = 0

    @property
    def open(self) -> bool:
        """Whether nothing ends the last block."""
        return bool(self.inside) and not self.outside[-1]

    @property
    def text(self) -> str:
        """The text again."""
        return "".join(part for pair in zip(self.outside, (*self.inside, ""), strict=True) for part in pair)


def marked(text: str, language: str, *, strings: bool = False) -> Marked:
    """A text's blocks, and what lies outside of them.

    Args:
        text: any text.
        language: "python" knows markers behind `#` only, and none inside of strings; all others know the usual
            beginnings of comments.
        strings: count markers inside of Python's strings too.
    """
    python = language.lower() == "python"
    if WORD not in text:
        return Marked(outside=(text,), inside=(), labels=())
    within = set() if strings or not python else _inside_strings(text)
    outside, inside, labels = [], [], []
    at, opened, markers = 0, None, 0
    for match in (_PYTHON_TEXT if python else ANY_MARKER).finditer(text):
        if match.start() in within:
            continue
        markers += 1
        if match[1] == "START" and opened is None:
            opened = match.end()
            outside.append(text[at:opened])
            labels.append(match[2].strip(" \t-*/>)"))
        elif match[1] == "END" and opened is not None:
            inside.append(text[opened : match.start()])
            at, opened = match.start(), None
    if opened is None:
        outside.append(text[at:])
    else:
        inside.append(text[opened:])
        outside.append("")
    return Marked(outside=tuple(outside), inside=tuple(inside), labels=tuple(labels), markers=markers)


def _inside_strings(text: str) -> set[int]:
    """Offsets of the lines that begin inside a string; none for a text that does not parse."""
    tree = parsed(text)
    if tree is None:
        return set()
    offsets = [0]
    for line in lines_of(text):
        offsets.append(offsets[-1] + len(line.text) + len(line.end))
    return {
        offsets[line]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno is not None
        for line in range(node.lineno, node.end_lineno)
    }


def breach(parent: str, child: str, language: str) -> str | None:
    """How a child differs from its parent outside of the parent's blocks; None if it does not."""
    if not has_markers(parent, language):
        return None
    # a text that does not parse does not tell where its strings are: then both are read by lines alone
    strings = parsed(child) is None or parsed(parent) is None
    old, new = marked(parent, language, strings=strings), marked(child, language, strings=strings)
    if old.outside == new.outside:
        return None
    if len(old.outside) != len(new.outside):
        return (
            f"the program has {len(old.inside)} EVOLVE-BLOCK(s) and the change leaves {len(new.inside)}: "
            "keep the marker lines as they are"
        )
    place = next(at for at, (one, other) in enumerate(zip(old.outside, new.outside, strict=True)) if one != other)
    before, after = lines_of(old.outside[place]), lines_of(new.outside[place])
    nothing = Line("", "")
    line = next(
        one if one.text else other for one, other in zip_longest(before, after, fillvalue=nothing) if one != other
    )
    return f"it changes what lies outside of the EVOLVE-BLOCKs, at `{line.text.strip()[:200]}`"


def has_markers(text: str, language: str) -> bool:
    """Whether only parts of the text may change."""
    return marked(text, language).markers > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A rewrite that leaves alone what lies outside of the blocks."""

    text: str
    how: Literal["as written", "outside restored", "markers restored"]
    """Whether what lies outside, or the marker lines too, had to be taken from the parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rewrite whose blocks could not be told."""

    why: str


def kept(parent: str, child: str, language: str) -> Kept | Broken:
    """A whole new program with what lies outside of the parent's blocks put back.

    The blocks are matched one to one, by order; labels behind START have to agree. A rewrite without marker lines
    is taken only when the parent has one block and the rest of it stands before and behind the new text as it was.
    """
    if not has_markers(parent, language) or breach(parent, child, language) is None:
        return Kept(text=child, how="as written")
    old, new = marked(parent, language), marked(child, language)
    how: Literal["outside restored", "markers restored"]
    if new.inside:
        if len(old.inside) != len(new.inside):
            return Broken(why=f"the program has {len(old.inside)} EVOLVE-BLOCK(s), the answer {len(new.inside)}")
        if new.open and not old.open:
            return Broken(why="nothing ends the answer's last EVOLVE-BLOCK")
        if old.labels != new.labels:
            return Broken(why=f"the EVOLVE-BLOCKs are called {old.labels}, in the answer {new.labels}")
        inside, how = new.inside, "outside restored"
    else:
        if len(old.inside) != 1:
            return Broken(why=f"the answer has no marker lines, and the program has {len(old.inside)} EVOLVE-BLOCKs")
        between = _between(old, child, language)
        if between is None:
            return Broken(why="the answer has no EVOLVE-BLOCK marker lines, and changes what lay outside of them")
        inside, how = (between,), "markers restored"
    newline = "\r\n" if "\r\n" in parent else "\n"
    text = Marked(
        outside=old.outside,
        inside=tuple(newline.join([*(line.text for line in lines_of(part)), ""]) for part in inside),
        labels=old.labels,
    ).text
    fault = breach(parent, text, language)
    return Kept(text=text, how=how) if fault is None else Broken(why=fault)


def _between(old: Marked, child: str, language: str) -> str | None:
    """What stands between the parent's first and last part in a text without marker lines."""
    head, tail = (_bare(part, language) for part in old.outside)
    lines = lines_of(child)
    texts = [line.text.rstrip() for line in lines]
    solid = [at for at, text in enumerate(texts) if text]
    if len(solid) <= len(head) + len(tail):
        return None
    first, last = solid[: len(head)], solid[len(solid) - len(tail) :]
    if [texts[at] for at in first] != head or [texts[at] for at in last] != tail:
        return None
    low, high = solid[len(head)], solid[len(solid) - len(tail) - 1]
    return "".join(line.text + line.end for line in lines[low : high + 1])


def _bare(part: str, language: str) -> list[str]:
    """The lines of a part that are neither blank nor markers."""
    pattern = _PYTHON_TEXT if language.lower() == "python" else ANY_MARKER
    return [line.text.rstrip() for line in lines_of(part) if line.text.strip() and not pattern.match(line.text)]
