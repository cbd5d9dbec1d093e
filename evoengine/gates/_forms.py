"""The normal form of a content: a digest that neither layout nor the name of a local changes."""

from __future__ import annotations

import ast
import builtins
import warnings
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from evoengine.types import Content, Program

_BROKEN = (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError)
"""What Python raises on a text that is no program, or that nests too deeply for it."""
_REFLECTION = frozenset({"locals", "vars", "eval", "exec", "dir", "globals"})
_BUILTIN = frozenset(dir(builtins))
_NOTHING = "-"
_END = "]"
_FUNCTIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda})
_BINDING = {ast.arg: "arg", ast.ExceptHandler: "name", ast.MatchAs: "name", ast.MatchStar: "name"} | {
    ast.MatchMapping: "rest",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
}
"""Kind of node, beside `Name`, to the field that holds a name which it binds."""
_SPEAKING = frozenset({ast.ClassDef, ast.alias, ast.keyword})
"""Kinds of node whose names are more than names."""
_SKIPPED = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that follow from the rest, or that mean nothing."""
_BODIES = frozenset({"body", "orelse", "finalbody"})
_shapes: dict[type[ast.AST], tuple[str, tuple[str, ...], str]] = {}
"""Kind of node to its token, the fields below it (the last first), and the one that holds a name which it binds."""


@lru_cache(maxsize=64)
def form_of(content: Content) -> int:
    """64 bits, equal for contents that differ in nothing that changes what they do, as far as syntax tells.

    Of Python programs comments, docstrings, layout and the names of locals do not count. What some call names as a
    parameter keeps its name, as do all names of a program that can look at them (`locals`, `eval`), and of a class in
    a function. The digest may change with the version of Python, whose syntax tree it is made of. It is kept: that of a
    child is asked for more than once.
    """
    kind = kind_of(content)
    named = content.files if isinstance(content, Program) else content.sections
    exact: list[str] = [kind]
    for name, text in sorted(named.items()):
        tree = _parsed(text) if kind == "program python" and name.endswith(".py") else None
        whole = _whole(text, kind) if tree is None else "\n".join(_Reading(tree).without_names())
        exact += (name, str(len(whole)), whole)
    return hashed("\0".join(exact))


def hashed(text: str) -> int:
    """64 bits of a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def kind_of(content: Content) -> str:
    """What a content is compared with: programs of its language, or contexts."""
    return f"program {content.language}" if isinstance(content, Program) else "context"


def _whole(text: str, kind: str) -> str:
    """What is left of a text that is not Python.

    Of a context, whose readers see words, all white space is the same. Of a program in a language that is not known
    here only blank lines and the white space at the ends of lines go: indentation and comments may mean something.
    """
    if kind == "context":
        return " ".join(text.split())
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _parsed(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except _BROKEN:
            return None


class _Reading:
    """The tokens of a tree in one walk from the root on, with the places of names that may be those of locals.

    An outermost function is one space of names, with all that is in it: a name that it binds, and that means nothing
    outside it, may be replaced throughout it. No recursion: how deep a tree is does not matter.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._tokens: list[str] = []
        self._places: list[list[int]] = []
        """For each outermost function, where in the tokens its names are."""
        self._bound: list[set[str]] = []
        """For each, the names that it binds."""
        self._kept: set[str] = set()
        """Names that mean something elsewhere."""
        self._read(tree)

    def without_names(self) -> list[str]:
        """The tokens with the names of locals numbered in each outermost function, in the order of their first use."""
        tokens = self._tokens
        if not _REFLECTION.isdisjoint(tokens):
            return tokens
        kept = self._kept | _BUILTIN
        for places, bound in zip(self._places, self._bound, strict=True):
            bound -= kept
            numbers: dict[str, str] = {}
            for place in places:
                name = tokens[place]
                if name in bound:
                    tokens[place] = numbers.setdefault(name, f"%{len(numbers)}")
        return tokens

    def _read(self, tree: ast.Module) -> None:
        tokens, kept = self._tokens, self._kept
        add = tokens.append
        places: list[int] = []
        bound = kept  # what is bound outside of functions means something elsewhere
        waiting: list[Any] = [tree]
        pop, push = waiting.pop, waiting.append
        inside = False
        while waiting:
            node: Any = pop()
            kind = type(node)
            if kind is ast.Name:
                places.append(len(tokens))
                add(node.id)
                if type(node.ctx) is not ast.Load:
                    bound.add(node.id)
                continue
            if kind is str:
                add(node)
                continue
            if kind is ast.Constant:
                add(_constant(node.value))
                continue
            shape = _shapes.get(kind)
            if shape is None:
                if node is _LEAVE:
                    places, bound, inside = [], kept, False
                    continue
                if not isinstance(node, ast.AST):
                    add(_NOTHING if node is None else repr(node))
                    continue
                shape = _shape(kind)
            token, names, binding = shape
            if kind in _FUNCTIONS and not inside:
                if binding:
                    kept.add(node.name)
                places, bound, inside = [], set(), True
                self._places.append(places)
                self._bound.append(bound)
                push(_LEAVE)
            add(token)
            if binding:
                name = getattr(node, binding)
                if name is not None:
                    places.append(len(tokens))
                    bound.add(name)
                add(name or _NOTHING)
            elif kind in _SPEAKING:
                self._keep(node, inside=inside)
            for name in names:
                value = getattr(node, name, None)
                if value is None:
                    push(_NOTHING)
                elif type(value) is list:
                    push(_END)
                    if name in _BODIES:
                        value = [one for one in value if not _is_idle(one)]
                    waiting += value[::-1]
                else:
                    push(value)

    def _keep(self, node: ast.AST, *, inside: bool) -> None:
        """Notes the names of classes, imports and keywords, which are more than names."""
        match node:
            case ast.ClassDef(name=name):
                self._kept.add(name)
                if inside:  # what its body binds are attributes; its methods go the same way, which is simple
                    for one in ast.walk(node):
                        field = "id" if isinstance(one, ast.Name) else _BINDING.get(type(one))
                        self._kept.add(getattr(one, field) or "" if field else "")
            case ast.alias(name=name, asname=asname):
                self._kept.add(asname or name.partition(".")[0])
            case ast.keyword(arg=str(name)):
                self._kept.add(name)


_LEAVE = object()
"""Stands where an outermost function ends."""


def _shape(kind: type[ast.AST]) -> tuple[str, tuple[str, ...], str]:
    binding = _BINDING.get(kind, "")
    names = tuple(name for name in kind._fields[::-1] if name not in _SKIPPED and name != binding)
    shape = _shapes[kind] = (f"<{kind.__name__}", names, binding)
    return shape


def _constant(value: object) -> str:
    """A constant with its type. Whole numbers in hexadecimal: decimal digits are limited, and take long."""
    kind = type(value)
    if kind is int:
        return f"#{value:x}"
    if kind is float or kind is complex:
        return f"#{value!r}"
    return f"{kind.__name__}:{value!r}"


def _is_idle(statement: object) -> bool:
    """Whether it is a docstring, another bare constant, or `pass`."""
    kind = type(statement)
    return kind is ast.Pass or (kind is ast.Expr and type(getattr(statement, "value", None)) is ast.Constant)
