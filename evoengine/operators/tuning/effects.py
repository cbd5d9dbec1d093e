"""What statements read and change, as far as their syntax tells. Whoever relies on it judges the result."""

from __future__ import annotations

import ast

from evoengine.operators.splice.source import Block, Source

_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While, ast.If, ast.Expr)
_BINDING = (
    ast.Return,
    ast.Raise,
    ast.Yield,
    ast.YieldFrom,
    ast.Await,
    ast.Global,
    ast.Nonlocal,
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assert,
)


def read(node: ast.AST) -> set[str]:
    """Names that a statement reads, those in the functions that it defines too."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}


def modified(statement: ast.stmt, source: Source) -> list[str]:
    """Names that a statement binds or whose objects it may change, in the order of the text."""
    names: dict[str, None] = {}
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names[name] = None
            case ast.Subscript(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()):
                names |= _root(node)
            case ast.Expr(value=ast.Call(func=func, args=args)):
                names |= _root(func) if isinstance(func, ast.Attribute) else {}
                for one in args:
                    names |= _root(one)
    return [name for name in names if name not in source.index.modules]


def _root(node: ast.expr) -> dict[str, None]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id: None} if isinstance(node, ast.Name) else {}


def idle_before(source: Source, block: Block, place: int, name: str | None) -> list[int]:
    """Places, up to this one, of statements that are of no use once `name` is bound (or None: returned) there.

    A statement is idle if all that it changes is not read afterwards, by what is not idle itself.
    """
    later = block.statements[place + 1 :] if name is not None else []
    live = set().union(*(read(one) for one in later)) - {name}
    idle = []
    for at in range(place, -1, -1):
        statement = block.statements[at]
        changed = set(modified(statement, source))
        binds = any(isinstance(one, _BINDING) for one in ast.walk(statement))
        idles = isinstance(statement, _SIMPLE) and not binds and changed and not changed & live
        if idles and source.own_lines(statement) is not None:
            idle.append(at)
        elif not (name is None and at == place):
            live |= read(statement)
    return idle
