"""What is known of a program after one pass: where expressions, literals and statements stand, and what is bound."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class or function, with the names that it binds."""

    node: ast.AST
    parent: Scope | None = None
    bound: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Name to the first place (line, column) from which it may be used."""

    def visible(self, statement: ast.stmt) -> list[str]:
        """Names that are bound where a statement of this scope begins, in order of binding."""
        here = (statement.lineno, statement.col_offset)
        names = [name for name, place in self.bound.items() if place < here]
        outer = self.parent
        while outer is not None:
            if not isinstance(outer.node, ast.ClassDef):
                names += [name for name in outer.bound if name not in self.bound]
            outer = outer.parent
        return list(dict.fromkeys(names))


class Context(NamedTuple):
    """Where an expression stands.

    Attributes:
        loop: whether `continue` may stand here.
        extra: names of comprehensions and lambdas.
        whole: whether only integers make sense.
    """

    statement: ast.stmt
    scope: Scope
    loop: bool = False
    extra: tuple[str, ...] = ()
    whole: bool = False


class Site(NamedTuple):
    """An expression that any other expression, in parentheses, may replace."""

    node: ast.expr
    parent: ast.AST
    context: Context


class Block(NamedTuple):
    """A list of statements."""

    owner: ast.AST
    statements: list[ast.stmt]
    scope: Scope
    loop: bool
    """Whether `continue` may stand here."""


@dataclass(slots=True, eq=False)
class Index:
    """What one pass found, in the order of the text."""

    sites: list[Site] = field(default_factory=list)
    numbers: list[Site] = field(default_factory=list)
    """Integer and float literals, with their minus sign."""
    blocks: list[Block] = field(default_factory=list)
    module: Scope = field(default_factory=lambda: Scope(node=ast.Module(body=[], type_ignores=[])))
    long_strings: list[tuple[int, int]] = field(default_factory=list)
    """Strings over several lines: first and last line, from 1."""
    modules: dict[str, str] = field(default_factory=dict)
    """Alias to the module that a top-level import binds to it."""
    imported: dict[str, None] = field(default_factory=dict)
    """What imports bind anywhere."""
    arrays: dict[str, None] = field(default_factory=dict)
    """Names that are subscripted, iterated over, measured, or bound to a display of elements."""
    called: dict[str, None] = field(default_factory=dict)
    operands: dict[str, None] = field(default_factory=dict)
    defined: dict[str, ast.AST] = field(default_factory=dict)
    """Functions and classes, by name."""
