"""What the generators of spoilt edits share: the files, the case of one edit, and whether a result is right."""

from __future__ import annotations

import ast
import re
import sysconfig
import warnings
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

warnings.simplefilter("ignore")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One edit as a model might have written it, with what it was meant to do."""

    text: str
    meant: str
    search: tuple[str, ...]
    replace: tuple[str, ...]
    kind: str = "none"
    answer: str = ""
    loose: bool = False
    """Whether the mistake lost comments or formatting, so that only the syntax tree can be compared."""
    above: str = ""
    """What stands above the lines that the edit is about: a right result begins with it, byte by byte."""
    below: str = ""
    """The same for what stands below, at the end."""


@cache
def library(largest: int) -> tuple[str, ...]:
    """The standard library's files of a usable size, in order of their names."""
    root = Path(sysconfig.get_paths()["stdlib"])
    texts = []
    for path in sorted([*root.glob("*.py"), *root.glob("[a-z]*/*.py")]):
        if "site-packages" in path.parts or "test" in path.parts or "idlelib" in path.parts:
            continue
        text = path.read_text(errors="ignore")
        if 30 <= text.count("\n") <= largest and "\r" not in text and "\f" not in text and parses(text):
            texts.append(text)
    return tuple(texts)


@lru_cache(maxsize=256)
def tree_of(text: str) -> ast.Module | None:
    """The tree of a text, None if it has none."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def parses(text: str) -> bool:
    """Whether Python takes it."""
    return tree_of(text) is not None


def margin(line: str) -> str:
    """The white space before a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def core(text: str) -> list[str]:
    """A text's lines, blank ones left out, without what stands behind them."""
    return [line.rstrip() for line in re.split(r"\r\n|\r|\n", text) if line.strip()]


def is_right(case: Case, text: str) -> bool:
    """Whether a result is the one that was meant."""
    if not text.startswith(case.above) or not text.endswith(case.below):
        return False
    if core(text) == core(case.meant):
        return True
    if not case.loose:
        return False
    one, other = tree_of(text), tree_of(case.meant)
    if one is None or other is None:
        return False
    # a docstring's blank lines go with the others
    return re.sub(r"(\\n *)+", r"\\n", ast.dump(one)) == re.sub(r"(\\n *)+", r"\\n", ast.dump(other))
