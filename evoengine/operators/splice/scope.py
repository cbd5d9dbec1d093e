"""What may be named at a place of a program, and what the names seem to hold."""

from __future__ import annotations

import ast
from random import Random

from evoengine.operators.splice.source import Context, Source, Splice

_MODULES = ("numpy", "math")


def names_at(source: Source, context: Context) -> list[str]:
    """Names that are bound at a place, without modules and dunder names."""
    names = (*context.extra, *context.scope.visible(context.statement))
    return [name for name in dict.fromkeys(names) if name not in source.index.modules and not name.startswith("__")]


def kind_of(source: Source, name: str) -> str:
    """What a name seems to hold: "function", "class", "import", "array", "number" or "any", by how it is used."""
    index = source.index
    if name in index.imported:
        return "function" if name in index.called else "import"
    if name in index.defined:
        return "class" if isinstance(index.defined[name], ast.ClassDef) else "function"
    if name in index.called:
        return "function"
    if name in index.arrays:
        return "array"
    return "number" if name in index.operands else "any"


def numbers_at(source: Source, context: Context) -> list[str]:
    """Names at a place that may hold numbers; arrays only when nothing better is known."""
    kinds = {name: kind_of(source, name) for name in names_at(source, context)}
    exact = [name for name, kind in kinds.items() if kind == "number"]
    return exact + [name for name, kind in kinds.items() if kind == "any" and name not in exact]


def module_alias(source: Source, module: str) -> str | None:
    """The name that a top-level import gives to a module."""
    return next((alias for alias, full in source.index.modules.items() if full == module), None)


def maths(source: Source) -> dict[str, str]:
    """The aliases of numpy and math, as far as the program imports them."""
    return {module: alias for module in _MODULES if (alias := module_alias(source, module)) is not None}


def import_splice(source: Source, line: str) -> Splice | None:
    """Adds an import at the top of what may be edited at module level; None where that cannot be.

    It goes behind the docstring and `from __future__` imports, and before the first statement that may be
    edited with its whole lines.
    """
    for statement in source.tree.body:
        first = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if first or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            continue
        span = source.own_lines(statement)
        if span is not None:
            return Splice(span[0], span[0], line.encode() + source.newline)
    return None


def fresh(source: Source, stem: str, rng: Random | None = None) -> str:
    """A name that the program does not contain, beginning with a stem."""
    number = rng.randrange(10) if rng is not None else 0
    while True:
        name = f"{stem}{number}" if number else stem
        if name.encode() not in source.data:
            return name
        number += 1
