"""Reading whole programs out of a model's answer: the fenced blocks of its language."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from evoengine.operators.editing.blocks import Missing, Unread, answer_lines, path_in, thinks_on
from evoengine.operators.editing.syntax import parsed

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([^`]*?)[ \t]*")
_SYNONYMS = {
    "python": {"python", "py", "python3", "py3"},
    "javascript": {"javascript", "js", "node"},
    "typescript": {"typescript", "ts"},
    "rust": {"rust", "rs"},
    "c++": {"c++", "cpp", "cxx", "cc"},
    "cpp": {"c++", "cpp", "cxx", "cc"},
    "julia": {"julia", "jl"},
    "haskell": {"haskell", "hs"},
    "markdown": {"markdown", "md"},
    "text": {"text", "txt", "plaintext"},
}
_MOST_ENDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The files of a whole new program; a file under the path "" was given no path."""

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fenced:
    start: int
    language: str
    path: str | None
    text: str


def whole_of(text: str, language: str, paths: Collection[str] = ()) -> Whole | Unread:
    """The program that an answer gives whole: its last complete fenced block of the language.

    Blocks that name a file (behind the language, or on a line above) are files, the last of each path counts. A
    block without a language is taken when none has the right one. Fences inside of a Python program's strings
    do not end it.

    Args:
        text: what the model wrote.
        language: of the program.
        paths: files of the parent.
    """
    if thinks_on(text):
        return Unread(cause=Missing.TRUNCATED, why="the answer ends before its thinking does")
    lines = answer_lines(text)
    blocks, unended = _fenced(lines, language, paths)
    names = _SYNONYMS.get(language.lower(), {language.lower()})
    ours = [block for block in blocks if block.language in names] or [block for block in blocks if not block.language]
    named = {
        block.path: block.text
        for block in blocks
        if block.path and (block.language in names or not block.language or block.path in paths)
    }
    if unended and (not ours or len(paths) > 1):
        return Unread(cause=Missing.TRUNCATED, why="the answer ends before its last fenced block does")
    if not ours and not named:
        return Unread(cause=Missing.EMPTY, why=f"the answer has no fenced block of {language}")
    if named and (len(paths) > 1 or not ours or ours[-1].path):
        return Whole(files=named)
    return Whole(files={"": ours[-1].text})


def _fenced(lines: Sequence[str], language: str, paths: Collection[str]) -> tuple[list[_Fenced], bool]:
    """The complete fenced blocks, and whether one is left open."""
    found: list[_Fenced] = []
    at = 0
    while at < len(lines):
        opened = _FENCE.fullmatch(lines[at])
        if opened is None:
            at += 1
            continue
        info = opened[3]
        ends = [
            end
            for end in range(at + 1, len(lines))
            if (closing := _FENCE.fullmatch(lines[end]))
            and not closing[3]
            and closing[2][0] == opened[2][0]
            and len(closing[2]) >= len(opened[2])
        ][:_MOST_ENDS]
        if not ends:
            return found, True
        word = re.split(r"[\s:{,]", info.lower(), maxsplit=1)[0]
        end = _end(lines, at, ends, python=word in _SYNONYMS["python"] or (not word and language.lower() == "python"))
        inner = [_less(line, opened[1]) for line in lines[at + 1 : end]]
        path = _path(lines, at, info, paths)
        found.append(_Fenced(start=at, language=word if "." not in word else "", path=path, text=_text(inner)))
        at = end + 1
    return found, False


def _end(lines: Sequence[str], start: int, ends: Sequence[int], *, python: bool) -> int:
    """The fence that ends a block: for Python the first behind which the block parses, if there is one."""
    if python and len(ends) > 1:
        for end in ends:
            inner = lines[start + 1 : end]
            if any(_FENCE.fullmatch(line) and line.strip("`~ \t") for line in inner):
                break
            if parsed(_text(inner)) is not None:
                return end
    return ends[0]


def _path(lines: Sequence[str], start: int, info: str, paths: Collection[str]) -> str | None:
    for part in (info.partition(":")[2], info.partition(" ")[2], info):
        title = re.sub(r"^.*(?:title|file(?:name)?|path)\s*=\s*", "", part).strip("\"'{} ")
        named = path_in(title, paths) if title else None
        if named:
            return named
    for at in (start - 1, start - 2):
        if at >= 0 and lines[at].strip():
            return path_in(lines[at], paths)
    return None


def _less(line: str, indent: str) -> str:
    return line[len(indent) :] if line.startswith(indent) else line


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
