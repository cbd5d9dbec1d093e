"""Edits of operators: arithmetic, comparison, Boolean, augmented assignment."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from random import Random

from evoengine.operators.splice.source import Patch, Site, Source, Splice

_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}
_COMPARISON = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_LIKELY = ("+", "-", "*", "/", "+", "-", "*", "/", "//", "%", "**")


def _symbol(source: Source, left: ast.expr, right: ast.expr, old: str) -> tuple[int, int] | None:
    """The span of an operator's symbol between two operands.

    Brackets and comments may lie between them too, but never another operator.
    """
    start, end = source.end(left), source.start(right)
    between = re.sub(rb"#[^\r\n]*", lambda match: b" " * len(match[0]), source.data[start:end])
    at = between.find(old.encode())
    return None if at < 0 else (start + at, start + at + len(old))


def _of(source: Source, *kinds: type[ast.expr]) -> list[Site]:
    return [site for site in source.index.sites if isinstance(site.node, kinds)]


def _other(rng: Random, symbols: Sequence[str], old: str) -> str:
    return rng.choice([symbol for symbol in symbols if symbol != old])


def arith(source: Source, rng: Random) -> Patch | None:
    """Another arithmetic operator, or the operands the other way round."""
    sites = [site for site in _of(source, ast.BinOp) if type(site.node.op) in _ARITHMETIC]  # type: ignore[attr-defined]
    if not sites:
        return None
    node = rng.choice(sites).node
    assert isinstance(node, ast.BinOp)
    if rng.random() < 0.2:
        left, right = source.code(node.left), source.code(node.right)
        if left != right:
            return [
                Splice(source.start(node.left), source.end(node.left), b"(" + right + b")"),
                Splice(source.start(node.right), source.end(node.right), b"(" + left + b")"),
            ]
    old = _ARITHMETIC[type(node.op)]
    span = _symbol(source, node.left, node.right, old)
    if span is None:
        return None
    # another precedence must not pull in the neighbours: the operands and the whole are put in parentheses
    new = _other(rng, _LIKELY, old)
    left, right = source.code(node.left), source.code(node.right)
    middle = source.data[source.end(node.left) : span[0]] + new.encode()
    rest = source.data[span[1] : source.start(node.right)]
    if b"(" in rest or b")" in middle or b"#" in middle + rest:
        return [Splice(*span, new.encode())]
    whole = b"((" + left + b")" + middle + rest + b"(" + right + b"))"
    if _plain(node.left) and _plain(node.right):
        whole = b"(" + left + middle + rest + right + b")"
    return [Splice(source.start(node), source.end(node), whole)]


def _plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Constant | ast.Call | ast.Subscript | ast.Attribute)


def cmp(source: Source, rng: Random) -> Patch | None:
    """Another comparison."""
    sites = [
        site
        for site in _of(source, ast.Compare)
        if any(type(one) in _COMPARISON for one in site.node.ops)  # type: ignore[attr-defined]
    ]
    if not sites:
        return None
    node = rng.choice(sites).node
    assert isinstance(node, ast.Compare)
    place = rng.choice([at for at, one in enumerate(node.ops) if type(one) in _COMPARISON])
    operands = [node.left, *node.comparators]
    old = _COMPARISON[type(node.ops[place])]
    span = _symbol(source, operands[place], operands[place + 1], old)
    likely = ("<", "<=", ">", ">=", "==", "!=")
    return None if span is None else [Splice(*span, _other(rng, likely, old).encode())]


def bool_(source: Source, rng: Random) -> Patch | None:
    """`and` for `or`, a condition negated, or one of its parts left out."""
    operators = _of(source, ast.BoolOp)
    tests = [
        site
        for site in source.index.sites
        if isinstance(site.node, ast.Compare | ast.BoolOp)
        or (isinstance(site.node, ast.UnaryOp) and isinstance(site.node.op, ast.Not))
        or (isinstance(site.node, ast.Constant) and isinstance(site.node.value, bool))
    ]
    if operators and rng.random() < 0.6:
        node = rng.choice(operators).node
        assert isinstance(node, ast.BoolOp)
        if rng.random() < 0.5:
            keep = rng.choice(node.values)
            return [Splice(source.start(node), source.end(node), b"(" + source.code(keep) + b")")]
        word = "or" if isinstance(node.op, ast.And) else "and"
        parts = [f"({source.code(one).decode()})" for one in node.values]
        return [Splice(source.start(node), source.end(node), f"({f' {word} '.join(parts)})".encode())]
    if not tests:
        return None
    node = rng.choice(tests).node
    if isinstance(node, ast.Constant):
        return [Splice(source.start(node), source.end(node), b"(" + repr(not node.value).encode() + b")")]
    if isinstance(node, ast.UnaryOp):
        return [Splice(source.start(node), source.end(node), b"(" + source.code(node.operand) + b")")]
    return [Splice(source.start(node), source.end(node), b"(not (" + source.code(node) + b"))")]


def aug(source: Source, rng: Random) -> Patch | None:
    """Another augmented assignment, or a plain one in its place."""
    found = [
        statement
        for block in source.index.blocks
        for statement in block.statements
        if isinstance(statement, ast.AugAssign)
        and type(statement.op) in _ARITHMETIC
        and source.editable(source.start(statement), source.end(statement))
    ]
    if not found:
        return None
    statement = rng.choice(found)
    old = _ARITHMETIC[type(statement.op)]
    span = _symbol(source, statement.target, statement.value, old + "=")
    if span is None:
        return None
    new = "" if rng.random() < 0.15 else _other(rng, ("+", "-", "*", "/", "%", "//"), old)
    return [Splice(*span, f"{new}=".encode())]
