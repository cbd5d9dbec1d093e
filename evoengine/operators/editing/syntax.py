"""What Python's and JSON's own parsers say of a text: whether it is one, where its comments and strings are."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import warnings
from collections.abc import Sequence
from functools import lru_cache

_BRACKETS = 20
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot);")
LONGEST = 2_000_000
"""Characters of a text that is looked at; no program that a model edits is as long."""


def check_syntax(language: str, text: str) -> str | None:
    """What is wrong with a text, for people and for prompts; None if nothing, or if nobody here knows the language.

    Knows "python" and "json". Takes any text: one that nests too deep or holds null bytes is wrong, not an error.
    """
    match language.lower():
        case "python":
            return _python_fault(text)
        case "json":
            return _json_fault(text)
    return None


def _python_fault(text: str) -> str | None:
    if len(text) > LONGEST:
        return f"a text of {len(text):,} characters is too long to be checked; {LONGEST:,} are the most"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<program>", "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f" in `{error.text.strip()[:200]}`" if error.text and error.text.strip() else ""
        return f"line {error.lineno or 1}: {error.msg}{line}"
    except (RecursionError, MemoryError):
        return "it nests deeper than Python can compile"
    except (ValueError, OverflowError) as error:
        return f"{error}"
    return None


def _json_fault(text: str) -> str | None:
    try:
        json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        return "it nests deeper than can be read"
    except ValueError as error:
        return str(error)
    return None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


@lru_cache(maxsize=32)
def parsed(text: str) -> ast.Module | None:
    """The syntax tree of a Python text, or None if it does not parse. Callers leave the tree as it is."""
    if len(text) > LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return None


def without_comments(texts: Sequence[str]) -> list[str] | None:
    """The lines of a Python text without their comments, or None if they cannot be told.

    A part of a program is enough: it need not be whole statements.
    """
    if not any("#" in text for text in texts):
        return list(texts)
    cut = list(texts)
    # a part may begin at any depth, which the tokenizer does not mind within brackets
    source = io.StringIO("".join(f"{text}\n" for text in ("(" * _BRACKETS, *texts)))
    try:
        for token in tokenize.generate_tokens(source.readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                cut[line - 2] = texts[line - 2][:column].rstrip()
            elif token.type == tokenize.ERRORTOKEN and not token.string.isspace():
                return None
    except tokenize.TokenError as error:
        return cut if "statement" in str(error) else None
    except (SyntaxError, ValueError):
        return None
    return cut


def entities_in_code(text: str) -> int:
    """How often a Python text has `&lt;` and the like outside of strings: names between operators, for the parser."""
    if not _ENTITY.search(text):
        return 0
    try:
        tokens = [
            (token.string, token.start, token.end) for token in tokenize.generate_tokens(io.StringIO(text).readline)
        ]
    except (tokenize.TokenError, SyntaxError, ValueError):
        return 0
    return sum(
        one[0] == "&"
        and _ENTITY.fullmatch(f"&{name[0]}{end[0]}") is not None
        and one[2] == name[1]
        and name[2] == end[1]
        for one, name, end in zip(tokens, tokens[1:], tokens[2:], strict=False)
    )


def string_lines(tree: ast.Module, texts: Sequence[str], among: range | None = None) -> set[int]:
    """Lines (from 0) that a string over several lines touches, docstrings and strings side by side left out.

    Args:
        tree: of a text.
        texts: its lines.
        among: only the module's statements that touch these lines are looked at.
    """
    nodes = [
        node
        for statement in tree.body
        if among is None or (statement.lineno <= among.stop and (statement.end_lineno or 0) >= among.start)
        for node in ast.walk(statement)
    ]
    idle = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return {
        line - 1
        for node in nodes
        if isinstance(node, ast.Constant | ast.JoinedStr)
        and not (isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes))
        and id(node) not in idle
        and node.end_lineno is not None
        and node.end_lineno > node.lineno
        and any(
            '"""' in line or "'''" in line or line.endswith("\\") for line in texts[node.lineno - 1 : node.end_lineno]
        )
        for line in range(node.lineno, node.end_lineno + 1)
    }
