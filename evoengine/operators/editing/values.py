"""What a model's edit says, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from evoengine.operators.editing.nearest import Numbered

How: TypeAlias = Literal["exact", "whitespace", "comments", "syntax", "elision"]
"""Letter by letter; but for white space; but for comments too; as a syntax tree; around lines left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Lines to be found in a program, and those that take their place.

    Attributes:
        search: whole lines.
        replace: whole lines, or "".
        path: of the file, where the model named one.
        unmarked: another way to read a unified diff's hunk: its context lines lack the space in front of them.
    """

    search: str
    replace: str
    path: str | None = None
    unmarked: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A text after an edit. Lines that the edit did not change are as they were, byte by byte."""

    text: str
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An edit that was not applied, as its place or its result was not certain.

    Attributes:
        why: for people and for prompts.
        nearest: the lines of the text most like those searched for, when there were none to be found.
        missing: whether that was the reason.
        at: which of several edits it was, from 0.
    """

    why: str
    missing: bool = False
    nearest: tuple[Numbered, ...] = ()
    at: int = 0
