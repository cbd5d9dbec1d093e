"""What the gate against similar programs compares: the words and signs of a content, read without a syntax tree."""

from __future__ import annotations

import re
from ast import literal_eval
from functools import lru_cache

from evoengine.types import Content, Program

_TRIPLE = r'"""(?:[^"\\]++|\\.|"(?!""))*+"""' + "|" + r"'''(?:[^'\\]++|\\.|'(?!''))*+'''"
_DOCSTRING = rf"[rR]?(?:{_TRIPLE})(?=[ \t]*+(?:\n|\Z))"
_OPENING = re.compile(rf"(?:\s++|\#[^\n]*+)*+{_DOCSTRING}", re.DOTALL)
_TOKEN = re.compile(
    rf"""
      \#[^\n]*+
    | (?<=:\n)[ \t]++{_DOCSTRING}
    | [rRbBuUfF]{{0,2}}+ (?: {_TRIPLE} | "(?:[^"\\\n]++|\\.)*+" | '(?:[^'\\\n]++|\\.)*+' )
    | (?: \d[\w.]*+ | \.\d\w*+ ) (?: (?<=[eE])[+-]\d++ )?
    | \w++
    | [^\w\s\\]
    """,
    re.DOTALL | re.VERBOSE,
)
_WORD = re.compile(r"\w+|[^\w\s]")
_NUMBER = "#"
"""Stands before a number literal; no other token starts with it and goes on."""


def tokens_of(content: Content) -> list[str]:
    """The tokens of a content's texts, in the order of their names, each with its name first.

    Of Python programs comments, layout and docstrings (in three quotes, on lines of their own) are left out, and equal
    numbers are written alike. No text is too broken to be read.
    """
    python = isinstance(content, Program) and content.language == "python"
    named = content.files if isinstance(content, Program) else content.sections
    tokens = []
    for name, text in sorted(named.items()):
        tokens.append(f"file:{name}")
        if python and name.endswith(".py"):
            opening = _OPENING.match(text)
            found = _TOKEN.findall(text, opening.end() if opening else 0)
            tokens += filter(None, map(_token, found))
        else:
            tokens += (_NUMBER + word if word[0].isdigit() else word for word in _WORD.findall(text))
    return tokens


def is_number(token: str) -> bool:
    """Whether a token is a number literal."""
    return token[:1] == _NUMBER and len(token) > 1


@lru_cache(maxsize=1 << 15)
def _token(found: str) -> str:
    """A token of Python as it is compared; nothing for a comment, nor for a docstring (found with its margin)."""
    if found[0] in "# \t":
        return ""
    if not (found[0].isdigit() or (found[0] == "." and len(found) > 1)):
        return found
    try:
        value = literal_eval(found)
    except (SyntaxError, ValueError, MemoryError):
        return _NUMBER + found
    return f"{_NUMBER}{value:x}" if isinstance(value, int) else f"{_NUMBER}{value!r}"
