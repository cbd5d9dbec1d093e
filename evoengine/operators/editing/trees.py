"""Edits anchored in Python's syntax tree: statements that say the same, however they are written."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from evoengine.operators.editing.syntax import parsed, string_lines

Statements: TypeAlias = list[ast.stmt]
_BLOCKS = ("body", "orelse", "finalbody")
_PARTS = ("handlers", "cases")
_FORMAT = frozenset({"ctx", "kind", "type_comment"})


class Splice(NamedTuple):
    """Lines that take the place of the lines from `start` up to `end` (from 0, `end` left out)."""

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Piece:
    """Lines of Python that are whole statements, all at one depth, with their tree.

    The tree's line numbers are those of `lines` from 1, plus `below`.
    """

    lines: Sequence[str]
    statements: Statements
    tree: ast.Module
    below: int = 0

    @cached_property
    def strings(self) -> frozenset[int]:
        """Lines that a string over several lines touches, docstrings left out."""
        return frozenset(line - self.below for line in string_lines(self.tree, ["", *self.lines][1 - self.below :]))

    def first(self, statement: ast.stmt) -> int:
        """The line (from 0) on which a statement with its decorators begins."""
        decorators = getattr(statement, "decorator_list", ())
        lines: list[int] = [statement.lineno, *(one.lineno for one in decorators)]
        return min(lines) - 1 - self.below

    def last(self, statement: ast.stmt) -> int:
        """The line (from 0) after a statement's last."""
        assert statement.end_lineno is not None
        return statement.end_lineno - self.below

    def indent(self, statement: ast.stmt) -> str:
        """The white space before the first line of a statement."""
        line = self.lines[self.first(statement)]
        return line[: len(line) - len(line.lstrip(" \t"))]

    @cached_property
    def steps(self) -> frozenset[int]:
        """The widths of its levels of indent, in characters."""
        return frozenset(nested.step for nested in nested_in(self.tree))

    @cached_property
    def unit(self) -> int:
        """The width of one level of indent, in characters; 0 when nothing is nested."""
        for block in blocks_of(self.statements):
            for statement in block:
                inner = getattr(statement, "body", None)
                if inner and inner[0].lineno > statement.lineno:
                    return int(inner[0].col_offset - statement.col_offset)
        return 0

    def alone(self, statement: ast.stmt) -> bool:
        """Whether a statement shares its first and its last line with no other."""
        first, last = self.lines[self.first(statement)], self.lines[self.last(statement) - 1]
        before = "" if getattr(statement, "decorator_list", ()) else first[: statement.col_offset]
        if before.strip(" \t\f") or first.lstrip(" \t\f").startswith("elif"):
            return False
        rest = last.encode()[statement.end_col_offset :].strip()
        return not rest or rest.startswith(b"#")


def piece_of(lines: Sequence[str]) -> Piece | None:
    """The whole statements that lines hold, at whatever depth they stand; None if they are no such thing."""
    solid = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not solid:
        return None
    below = int(solid[0][:1] in " \t")
    # under a header of their own, indented lines parse as they are, and their strings keep what they hold
    tree = parsed("if 1:\n" * below + "".join(f"{line}\n" for line in lines))
    if tree is None:
        return None
    statements = tree.body
    if below:
        [header] = tree.body[:1]
        if len(tree.body) != 1 or not isinstance(header, ast.If) or header.orelse:
            return None
        statements = header.body
    if not statements:
        return None
    return Piece(lines, statements, tree, below)


def program_of(text: str, lines: Sequence[str]) -> Piece | None:
    """A whole program, or None if it does not parse."""
    tree = parsed(text)
    return None if tree is None else Piece(lines, tree.body, tree)


def same(one: object, other: object) -> bool:
    """Whether two trees say the same, places and formatting aside. Docstrings may be indented differently."""
    waiting: list[tuple[object, object]] = [(one, other)]
    while waiting:
        first, second = waiting.pop()
        if type(first) is not type(second):
            return False
        match first, second:
            case ast.Expr(value=ast.Constant(value=str(text))), ast.Expr(value=ast.Constant(value=str(again))):
                if inspect.cleandoc(text) != inspect.cleandoc(again):
                    return False
            case ast.AST(), ast.AST():
                for name in first._fields:
                    if name not in _FORMAT:
                        waiting.append((getattr(first, name, None), getattr(second, name, None)))
            case list(), list():
                if len(first) != len(second):
                    return False
                waiting += zip(first, second, strict=True)
            case ((float() | complex()), _):
                if repr(first) != repr(second):
                    return False
            case _ if first != second:
                return False
    return True


class Nested(NamedTuple):
    """A block below its head."""

    lines: range
    """From 0."""
    step: int
    """How much deeper it is than its head, in characters."""


def nested_in(tree: ast.Module) -> Iterator[Nested]:
    """The blocks of all statements that have one below them."""
    for block in blocks_of(tree.body):
        for statement in block:
            inner = getattr(statement, "body", None)
            if inner and inner[0].lineno > statement.lineno:
                yield Nested(
                    range(inner[0].lineno - 1, inner[-1].end_lineno), inner[0].col_offset - statement.col_offset
                )


def blocks_of(statements: Statements) -> Iterator[Statements]:
    """A block, and all blocks within its statements."""
    waiting: list[Statements] = [statements]
    while waiting:
        block = waiting.pop()
        yield block
        for statement in block:
            for part in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                for name in _BLOCKS:
                    inner = getattr(part, name, None)
                    if isinstance(inner, list) and inner:
                        waiting.append(inner)


def runs(program: Piece, search: Piece) -> list[Statements]:
    """All runs of the program's statements that say what the search says."""
    size = len(search.statements)
    return [
        block[start : start + size]
        for block in blocks_of(program.statements)
        for start in range(len(block) - size + 1)
        if all(same(one, other) for one, other in zip(block[start : start + size], search.statements, strict=True))
    ]


def rewritten(program: Piece, found: Statements, search: Piece, new: Piece | None) -> list[Splice] | None:
    """What turns the statements found into the new ones, with all that did not change left as the program has it.

    None when it cannot be said for certain (a statement shares its line, a string would be shifted, some lines are
    shifted and others are not). No `new` piece takes the statements out.
    """
    if _partly_shifted(program, found, search):
        return None
    return _Rewriting(program, search, new)(found, search.statements, new.statements if new else [])


def _partly_shifted(program: Piece, found: Statements, search: Piece) -> bool:
    """Whether the search begins at another depth than the program, and goes on with lines of it as they are."""
    if program.indent(found[0]) == search.indent(search.statements[0]):
        return False
    there = program.lines[program.first(found[0]) : program.last(found[-1])]
    first, last = search.first(search.statements[0]), search.last(search.statements[-1])
    return not {line for line in search.lines[first:last] if line.strip()}.isdisjoint(there)


class _Rewriting(NamedTuple):
    program: Piece
    search: Piece
    new: Piece | None

    def __call__(self, found: Statements, old: Statements, new: Statements) -> list[Splice] | None:
        low = 0
        while low < min(len(old), len(new)) and same(old[low], new[low]):
            low += 1
        high = 0
        while high < min(len(old), len(new)) - low and same(old[-1 - high], new[-1 - high]):
            high += 1
        gone, come = old[low : len(old) - high], new[low : len(new) - high]
        place = found[low : len(found) - high]
        if len(gone) == len(come):
            changes: list[Splice] = []
            for target, before, after in zip(place, gone, come, strict=True):
                inner = self.within(target, before, after)
                if inner is None:
                    inner = self.replaced([target], [after], new[: new.index(after)])
                if inner is None:
                    return None
                changes += inner
            return changes
        if not place:
            return self.inserted(found, low, come, new[:low])
        return self.replaced(place, come, new[:low])

    def within(self, target: ast.AST, before: ast.AST, after: ast.AST) -> list[Splice] | None:
        """The changes inside a statement whose head stays; None if it does not, or they cannot be told."""
        if type(before) is not type(after):
            return None
        changes: list[Splice] = []
        blocks = False
        for name in before._fields:
            parts: list[Any] = [getattr(node, name, None) for node in (target, before, after)]
            inner: list[Splice] | None
            if name in _BLOCKS and all(isinstance(part, list) for part in parts):
                if not all(parts):
                    inner = None if any(parts) else []
                else:
                    blocks = True
                    inner = self(*parts)
            elif name in _PARTS and all(isinstance(part, list) for part in parts) and parts[1]:
                blocks = True
                inner = self._parts(*parts)
            else:
                inner = [] if name in _FORMAT or same(parts[1], parts[2]) else None
            if inner is None:
                return None
            changes += inner
        return changes if blocks else None

    def _parts(self, target: list[ast.AST], before: list[ast.AST], after: list[ast.AST]) -> list[Splice] | None:
        if len(before) != len(after):
            return None
        changes: list[Splice] = []
        for trio in zip(target, before, after, strict=True):
            inner = self.within(*trio)
            if inner is None:
                return None
            changes += inner
        return changes

    def replaced(self, place: Statements, come: Statements, earlier: Statements) -> list[Splice] | None:
        """The place's lines replaced by new statements, or taken out."""
        if not (self.program.alone(place[0]) and self.program.alone(place[-1])):
            return None
        start, end = self.program.first(place[0]), self.program.last(place[-1])
        lines = self.written(come, earlier, self.program.indent(place[0]), start, end)
        return None if lines is None else [Splice(start, end, lines)]

    def inserted(self, found: Statements, at: int, come: Statements, earlier: Statements) -> list[Splice] | None:
        """New statements behind the one before `at`, or else before the first."""
        beside = found[at - 1] if at else found[0]
        if not self.program.alone(beside):
            return None
        start = self.program.last(beside) if at else self.program.first(beside)
        lines = self.written(come, earlier, self.program.indent(beside), start)
        return None if lines is None else [Splice(start, start, lines)]

    def kept(self, start: int, end: int) -> dict[str, str]:
        """The lines that both parts of the edit have, as the program has them, where it has each of them once."""
        if self.new is None:
            return {}
        there = [line for line in self.program.lines[start:end] if line.strip()]
        count = Counter(line.strip() for line in there)
        once = {line.strip(): line for line in there if count[line.strip()] == 1}
        shared = [line for line in self.search.lines if line.strip() in once]
        again = Counter(line.strip() for line in self.new.lines)
        return {line: once[line.strip()] for line in shared if line in self.new.lines and again[line.strip()] == 1}

    def scaled(self, line: str, depth: int) -> str:
        """A line with levels as wide as the program's; within brackets, where others stand, the width is free."""
        old, new = (self.new.unit if self.new else 0), self.program.unit
        deeper = len(line) - len(line.lstrip(" ")) - depth
        if not old or not new or old == new or deeper <= 0 or deeper % old or "\t" in line[:depth]:
            return line
        return " " * (depth + deeper // old * new) + line.lstrip(" ")

    def written(
        self, come: Statements, earlier: Statements, indent: str, place: int, end: int = 0
    ) -> tuple[str, ...] | None:
        """The new statements' lines, comments above them included, at the program's depth.

        A line that both parts of the edit have alike stays as the program has it between `place` and `end`.
        """
        new = self.new
        if not come or new is None:
            return ()
        if not (new.alone(come[0]) and new.alone(come[-1])):
            return None
        first, last = new.first(come[0]), new.last(come[-1])
        floor = new.last(earlier[-1]) if earlier else 0
        old = new.indent(come[0])
        known = {line.strip() for line in self.program.lines[max(place - 10, 0) : place]}
        stays = self.kept(place, end)
        lead = first
        while lead > floor and new.lines[lead - 1].strip()[:1] in ("#", ""):
            lead -= 1
        lines = []
        for at in range(lead, last):
            line = new.lines[at]
            if at < first and (not line.strip() or line.strip() in known):
                continue
            if line in stays:
                lines.append(stays[line])
                continue
            if line.strip() and old != indent:
                if at in new.strings or not line.startswith(old):
                    return None
                line = indent + line[len(old) :]
            if at not in new.strings:
                line = self.scaled(line, len(indent))
            lines.append(line)
        return tuple(lines)
