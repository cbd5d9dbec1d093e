"""What statements read and change, as far as their syntax tells. Whoever relies on it judges the result."""

from __future__ import annotations

import ast
from collections.abc import Collection

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


def idle_before(source: Source, block: Block, place: int, bound: Collection[str]) -> list[int]:
    """Places, up to this one, of statements that are of no use once these names are bound right after it.

    A statement is idle if nothing that it changes is read afterwards, by what is not idle itself.
    """
    live: set[str] = set()
    for statement in reversed(block.statements[place + 1 :]):
        live = (live - overwritten(statement)) | read(statement)
    live -= set(bound)
    idle = []
    for at in range(place, -1, -1):
        statement = block.statements[at]
        changed = _changed(statement, source)
        if changed and not changed & live and source.own_lines(statement) is not None:
            idle.append(at)
        else:
            live = (live - overwritten(statement)) | read(statement)
    return idle


def overwritten(statement: ast.stmt) -> set[str]:
    """Names that a statement binds for certain, whatever they were before."""
    match statement:
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target, value=ast.expr()):
            parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            return {one.id for one in parts if isinstance(one, ast.Name)}
        case ast.FunctionDef(name=name):
            return {name}
    return set()


def _changed(statement: ast.stmt, source: Source) -> set[str]:
    """What leaving a statement out would change; empty if it must stay for another reason."""
    match statement:
        case ast.FunctionDef(name=name, decorator_list=[]):
            return {name}
        case _ if not isinstance(statement, _SIMPLE):
            return set()
        case _ if any(isinstance(one, _BINDING) for one in ast.walk(statement)):
            return set()
    return set(modified(statement, source))
