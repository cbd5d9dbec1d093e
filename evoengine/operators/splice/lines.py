"""Whole lines: statements that stand alone on theirs, shifted, inserted and taken from other programs."""

from __future__ import annotations

import ast
from random import Random

from evoengine.operators.splice.source import Block, Source, Splice


def shifted(source: Source, start: int, end: int, old: bytes, new: bytes) -> bytes:
    """The lines of a span with the indent `old` replaced by `new`, and the last one ended.

    Lines inside strings over several lines keep their bytes, and so do lines with less than `old`.
    """
    if old == new:
        return _ended(source, source.data[start:end])
    fixed = set(source.string_lines(start, end))
    parts = []
    at = start
    for line in source.data[start:end].splitlines(keepends=True):
        moves = at not in fixed and line.startswith(old) and line.strip()
        parts.append(new + line[len(old) :] if moves else line)
        at += len(line)
    return _ended(source, b"".join(parts))


def _ended(source: Source, lines: bytes) -> bytes:
    return lines if lines.endswith((b"\n", b"\r")) else lines + source.newline


def inserted(source: Source, at: int, indent: bytes, code: str) -> Splice:
    """New lines of code (with an indent of their own of four spaces a level) at the start of a line."""
    lead = b"" if at == 0 or source.data[at - 1 : at] in (b"\n", b"\r") else source.newline
    lines = [indent + line.encode() if line.strip() else b"" for line in code.splitlines()]
    return Splice(at, at, lead + source.newline.join(lines) + source.newline)


def unit(source: Source, indent: bytes) -> bytes:
    """One more level of indent, in the manner of the program."""
    for block in source.index.blocks:
        if isinstance(block.owner, ast.FunctionDef | ast.For | ast.If) and source.own_lines(block.statements[0]):
            inner, outer = source.indent(block.statements[0]), source.indent_of_line(block.owner)
            if inner.startswith(outer) and len(inner) > len(outer):
                return inner[len(outer) :]
    return b"\t" if indent.startswith(b"\t") else b"    "


def movable(statement: ast.stmt) -> bool:
    """Whether a statement may be deleted, doubled, moved or wrapped: no declaration, no docstring."""
    match statement:
        case ast.Expr(value=ast.Constant()):
            return False
        case (
            ast.FunctionDef()
            | ast.AsyncFunctionDef()
            | ast.ClassDef()
            | ast.Import()
            | ast.ImportFrom()
            | ast.Global()
            | ast.Nonlocal()
        ):
            return False
    return True


def working_blocks(source: Source) -> list[Block]:
    """Blocks inside functions (or, in a program without any, all), where statements are edited."""
    inner = [
        block for block in source.index.blocks if isinstance(block.scope.node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return inner or [block for block in source.index.blocks if not isinstance(block.owner, ast.ClassDef)]


def some_statement(source: Source, rng: Random, *kinds: type[ast.stmt]) -> tuple[Block, int, int, int] | None:
    """A random movable statement of these kinds on its own lines: its block, place, and span."""
    found = [
        (block, place)
        for block in working_blocks(source)
        for place, statement in enumerate(block.statements)
        if movable(statement) and (not kinds or isinstance(statement, kinds))
    ]
    while found:
        block, place = found.pop(rng.randrange(len(found)))
        span = source.own_lines(block.statements[place])
        if span is not None:
            return block, place, *span
    return None


def leaves(statement: ast.stmt) -> bool:
    """Whether a statement ends its block."""
    return isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue)
