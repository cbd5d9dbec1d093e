"""What gates compare of a content: the tokens of its normal form, and its digest."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from evoengine.gates._normal_form import number_locals, stripped_tree
from evoengine.types import Cause, Content, Failed, Program, Record

_WORDS = re.compile(r"\w+|[^\w\s]")
_UNSEEN = frozenset({Cause.DUPLICATE, Cause.NO_CHANGE, Cause.SIMILAR, Cause.REINTRODUCED, Cause.UNJUDGED})
_SKIPPED = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that follow from the rest, or that mean nothing."""
_fields: dict[type, tuple[str, ...]] = {}
"""Kind of node to the fields of its form, the last first."""
_NUMBER = "#"
"""Stands before a number literal; no name, keyword or other literal starts with it."""
_END = "]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A content with everything gone that does not change what it does, as far as syntax tells.

    Attributes:
        digest: 64 bits, equal for equal forms: comments, docstrings, layout and local names do not count. It may
            change with the version of Python, whose syntax tree it is made of: what was taken in under another
            version is then not known again.
        tokens: of the syntax tree from the root on, names as they are written (numbered ones would all change with one
            new name), number literals as `#` and their value; or the words and signs of any other text.
    """

    digest: int
    tokens: tuple[str, ...]


def is_number(token: str) -> bool:
    """Whether a token of a form is a number literal."""
    return token[:1] == _NUMBER and len(token) > 1


def was_judged(record: Record) -> bool:
    """Whether a record tells what its content is worth: not of what was refused or copied, or met a broken judge."""
    return not (isinstance(record.evaluation, Failed) and record.evaluation.cause in _UNSEEN)


@lru_cache(maxsize=64)
def form_of(content: Content) -> Form:
    """The form of a content; kept, since several gates ask for that of one child, and more than once."""
    match content:
        case Program(files=files, language=language):
            kind, parts = f"program {language}", files
        case _:
            kind, parts = "context", content.sections
    exact: list[str] = [kind]
    tokens: list[str] = []
    for name, text in sorted(parts.items()):
        whole, found = _python(text) if kind == "program python" and name.endswith(".py") else _text(text, kind)
        exact += (name, str(len(whole)), whole)
        tokens.append(f"file:{name}")
        tokens += found
    hashed = blake2b("\0".join(exact).encode("utf-8", "surrogatepass"), digest_size=8)
    return Form(digest=int.from_bytes(hashed.digest(), "little"), tokens=tuple(tokens))


def _python(text: str) -> tuple[str, list[str]]:
    """The normal form in full, and the tokens."""
    try:
        tree = stripped_tree(text)
        tokens = _tree_tokens(tree)
        number_locals(tree)
        return "\n".join(_tree_tokens(tree)), tokens
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _text(text, "program")


def _text(text: str, kind: str) -> tuple[str, list[str]]:
    """What is left of a text, and its words and signs.

    Of a context, whose readers see words, all white space is the same. Of a program in a language that is not known
    here only blank lines and the white space at the ends of lines go: indentation and comments may mean something.
    """
    if kind == "context":
        whole = " ".join(text.split())
    else:
        lines = (line.rstrip() for line in text.splitlines())
        whole = "\n".join(line for line in lines if line)
    return whole, [_NUMBER + word if word[0].isdigit() else word for word in _WORDS.findall(whole)]


def _tree_tokens(tree: ast.AST) -> list[str]:
    """Kinds of node, names and constants from the root on; lists end with a sign: the tree could be read back."""
    tokens: list[str] = []
    waiting: list[object] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AST):
            kind = type(node)
            tokens.append(kind.__name__)
            names = _fields.get(kind)
            if names is None:
                names = _fields[kind] = tuple(name for name in kind._fields[::-1] if name not in _SKIPPED)
            if isinstance(node, ast.Constant):
                tokens.append(_literal(node.value))
            else:
                waiting += [getattr(node, name, None) for name in names]
        elif isinstance(node, list):
            waiting.append(_END)
            waiting += node[::-1]
        else:
            tokens.append(node if isinstance(node, str) else repr(node))
    return tokens


def _literal(value: object) -> str:
    """A constant with its type. Whole numbers in hexadecimal: decimal digits are limited, and take long."""
    match value:
        case bool() | None:
            return repr(value)
        case int():
            return f"{_NUMBER}{value:x}"
        case float() | complex():
            return f"{_NUMBER}{value!r}"
        case _:
            return f"{type(value).__name__}:{value!r}"
