"""Imports and other new definitions of two sides, united."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst


def united_import(
    old: cst.SimpleStatementLine, first: cst.SimpleStatementLine, second: cst.SimpleStatementLine
) -> cst.ImportFrom | None:
    """`from module import ...` with the names that both sides added, less those that either took away.

    None where it is no such statement, or a comment stands among the names. New names stand behind the old, in order.
    """
    nodes = [_import_of(line) for line in (old, first, second)]
    base, one, other = nodes
    if base is None or one is None or other is None:
        return None
    names = [_names(node) for node in (base, one, other)]
    known, mine, yours = names
    if known is None or mine is None or yours is None or len({_module(node) for node in (base, one, other)}) != 1:
        return None
    aliases = {**known, **mine, **yours}
    kept = [name for name in known if name in mine and name in yours]
    new = sorted(({*mine} | {*yours}) - {*known})
    chosen = [aliases[name] for name in [*kept, *new]]
    if not chosen:
        return None
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    listed = [
        alias.with_changes(comma=comma if at < len(chosen) - 1 else cst.MaybeSentinel.DEFAULT)
        for at, alias in enumerate(chosen)
    ]
    return base.with_changes(names=listed, lpar=None, rpar=None)


def _import_of(line: cst.SimpleStatementLine) -> cst.ImportFrom | None:
    [small, *more] = line.body
    return small if isinstance(small, cst.ImportFrom) and not more else None


def _module(node: cst.ImportFrom) -> str:
    return cst.Module(body=()).code_for_node(
        node.with_changes(names=[cst.ImportAlias(cst.Name("x"))], lpar=None, rpar=None)
    )


def _names(node: cst.ImportFrom) -> dict[str, cst.ImportAlias] | None:
    """The aliases by their text; None for a star, or where comments stand among them."""
    if isinstance(node.names, cst.ImportStar) or "#" in cst.Module(body=()).code_for_node(node):
        return None
    blank = cst.Module(body=())
    return {blank.code_for_node(alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)): alias for alias in node.names}


def bound_by(statement: cst.CSTNode) -> set[str] | None:
    """The names that a function, a class or an import binds; None for other statements, whose order may matter."""
    match statement:
        case cst.FunctionDef(name=name) | cst.ClassDef(name=name):
            return {name.value}
        case cst.SimpleStatementLine(body=[cst.Import(names=names)]):
            return _bound(names)
        case cst.SimpleStatementLine(body=[cst.ImportFrom(names=names)]) if not isinstance(names, cst.ImportStar):
            return _bound(names)
    return None


def _bound(aliases: Sequence[cst.ImportAlias]) -> set[str]:
    blank = cst.Module(body=())
    names = [alias.asname.name if alias.asname is not None else alias.name for alias in aliases]
    return {blank.code_for_node(name).partition(".")[0] for name in names}
