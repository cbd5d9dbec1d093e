"""Reading edits out of a model's answer: SEARCH/REPLACE blocks and unified diffs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from evoengine.operators.editing.hunks import hunks_of
from evoengine.operators.editing.values import Edit

_OPEN = re.compile(r"[ \t]*<{5,9}[ \t]*(?:SEARCH|ORIGINAL)\b[ \t]*(.*)", re.IGNORECASE)
_BETWEEN = re.compile(r"[ \t]*={5,9}[ \t]*")
_CLOSE = re.compile(r"[ \t]*>{5,9}[ \t]*(?:REPLACE|UPDATED)\b.*", re.IGNORECASE)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([^`]*)")
_PATH = re.compile(r"(?:[\w.@+-]+/)*[\w@+-][\w.@+-]*\.\w+")
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@")
_LINE = re.compile(r"\r\n|\r|\n")


class Missing(Enum):
    """Why nothing could be read from an answer."""

    EMPTY = "there is no edit and no program in it"
    TRUNCATED = "it ends in the middle"
    MALFORMED = "its markers are not in order"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """The edits of an answer, in order.

    Attributes:
        faults: what could not be read beside them; an answer with faults is not what its writer meant.
        truncated: whether the answer ends inside an edit, which is left out.
    """

    edits: tuple[Edit, ...]
    faults: tuple[str, ...] = ()
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """An answer without what was asked for."""

    cause: Missing
    why: str


def answer_lines(text: str) -> list[str]:
    """An answer's lines without their ends; what it thought before it answered is left out."""
    head, end, tail = text.partition("</think>")
    if end and not _FENCE.search(tail) and _FENCE.search(head) and "<think>" not in head:
        tail = text
    return _LINE.split(tail if end else text)


def thinks_on(text: str) -> bool:
    """Whether an answer ends before its thinking does."""
    return text.lstrip().startswith("<think>") and "</think>" not in text


def edits_of(text: str, paths: Collection[str] = ()) -> Edits | Unread:
    """The SEARCH/REPLACE blocks of an answer, or the hunks of its unified diffs if it has no blocks.

    Fences around or inside of blocks do not matter, nor whether they end; a line before a block, or before the
    fence that it is in, may name its file.

    Args:
        text: what the model wrote.
        paths: files of the program; others are taken for paths only when they look like one.
    """
    if thinks_on(text):
        return Unread(cause=Missing.TRUNCATED, why="the answer ends before its thinking does")
    lines = answer_lines(text)
    found = _blocks(lines, paths)
    if found is None:
        edits, faults = hunks_of(lines)
        if not edits and not faults:
            return Unread(cause=Missing.EMPTY, why="the answer has no SEARCH/REPLACE block and no diff")
        found = Edits(edits=edits, faults=faults)
    if found.edits:
        return found
    if found.truncated:
        return Unread(cause=Missing.TRUNCATED, why="the answer ends before its SEARCH/REPLACE block does")
    return Unread(cause=Missing.MALFORMED, why="; ".join(found.faults))


def _blocks(lines: Sequence[str], paths: Collection[str]) -> Edits | None:
    """The SEARCH/REPLACE blocks of lines; None if there is not even the beginning of one."""
    opens = [at for at, line in enumerate(lines) if _OPEN.fullmatch(line)]
    if not opens:
        return None
    edits, faults, truncated = [], [], False
    path: str | None = None
    for number, start in enumerate(opens, start=1):
        limit = opens[number] if number < len(opens) else len(lines)
        close = next((at for at in range(start + 1, limit) if _CLOSE.fullmatch(lines[at])), None)
        path = _path_before(lines, start, paths) or path
        if close is None:
            truncated = number == len(opens)
            if not truncated:
                faults.append(f"block {number} has no >>>>>>> REPLACE line")
            continue
        parts = _divided(lines[start + 1 : close])
        if isinstance(parts, str):
            faults.append(f"block {number} {parts}")
            continue
        search, replace = _unfenced(*parts)
        edits.append(Edit(search=_text(search), replace=_text(replace), path=path))
    stray = sum(bool(_CLOSE.fullmatch(line)) for line in lines) - len(opens)
    if any(_HUNK.match(line) for line in _outside(lines)):
        faults.append("there is a diff beside the SEARCH/REPLACE blocks: write all changes in one manner")
    if stray > 0:
        faults.append("there are more >>>>>>> REPLACE lines than <<<<<<< SEARCH lines")
    return Edits(edits=tuple(edits), faults=tuple(faults), truncated=truncated)


def _outside(lines: Sequence[str]) -> Iterator[str]:
    """The lines that are in no block."""
    inside = False
    for line in lines:
        inside = inside or bool(_OPEN.fullmatch(line))
        if not inside:
            yield line
        inside = inside and not _CLOSE.fullmatch(line)


def _divided(lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str]] | str:
    """A block's two parts, or what is wrong with it. Underlines of titles look like the line between."""
    between = [at for at, line in enumerate(lines) if _BETWEEN.fullmatch(line)]
    if len(between) > 1:
        between = [at for at in between if lines[at] == "======="]
    if not between:
        return "has no ======= line"
    if len(between) > 1:
        return "has more than one ======= line"
    return lines[: between[0]], lines[between[0] + 1 :]


def _unfenced(search: Sequence[str], replace: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Both parts without the fences in which both (or the one that is not empty) were put."""
    parts = [part for part in (search, replace) if any(line.strip() for line in part)]
    if not parts or not all(_FENCE.fullmatch(_solid(part)[0]) for part in parts):
        return search, replace
    # a fence that one part closes and the other does not may be the program's own
    return (_inner(search), _inner(replace)) if len({_closed(part) for part in parts}) == 1 else (search, replace)


def _closed(lines: Sequence[str]) -> bool:
    """Whether a fence ends the lines that one begins."""
    solid = _solid(lines)
    return len(solid) > 1 and not solid[-1].strip("` ~\t")


def _inner(lines: Sequence[str]) -> Sequence[str]:
    solid = [at for at, line in enumerate(lines) if line.strip()]
    if not solid:
        return lines
    end = solid[-1] if len(solid) > 1 and lines[solid[-1]].strip("` ~\t") == "" else len(lines)
    return lines[solid[0] + 1 : end]


def _solid(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip()]


def _path_before(lines: Sequence[str], start: int, paths: Collection[str]) -> str | None:
    """The path that a block's first line, or a line shortly before it, names."""
    opened = _OPEN.fullmatch(lines[start])
    if opened is not None and opened[1]:
        named = path_in(opened[1], paths)
        if named:
            return named
    at = start - 1
    for _ in range(3):
        if at < 0:
            return None
        line = lines[at].strip()
        fence = _FENCE.fullmatch(line)
        if fence is not None:
            named = path_in(fence[2].rpartition(":")[2], paths) or path_in(fence[2].rpartition(" ")[2], paths)
        else:
            named = path_in(line, paths)
        if named:
            return named
        if line and fence is None:
            return None
        at -= 1
    return None


def path_in(line: str, paths: Collection[str]) -> str | None:
    """The path that a line is about, if it names one and little else."""
    words = line.strip().strip("#*`:<>!-/% \t")
    words = re.sub(r"^(?:file(?:name)?|path)\s*[:=]\s*", "", words, flags=re.IGNORECASE).strip("`*\"' ")
    words = words.removeprefix("./")
    if words in paths:
        return words
    return words if _PATH.fullmatch(words) else None


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
