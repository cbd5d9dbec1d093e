"""One program text with its syntax tree, the byte spans of its nodes, and what of it may be edited."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from evoengine.operators.editing.markers import PYTHON_MARKER, WORD
from evoengine.operators.splice.index import Block, Context, Index, Scope, Site
from evoengine.operators.splice.walk import indexed

__all__ = ["Block", "Context", "Patch", "Scope", "Site", "Source", "Splice", "compiles", "source_of", "spliced"]

_REST_OF_LINE = re.compile(rb"[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|\Z)")


class Splice(NamedTuple):
    """Bytes that take the place of `data[start:end]`."""

    start: int
    end: int
    data: bytes


Patch: TypeAlias = list[Splice]
"""Splices that do not overlap."""


def spliced(data: bytes, patch: Patch) -> bytes:
    """The bytes after a patch; of two splices at one place the earlier in the list comes first."""
    parts: list[bytes] = []
    at = 0
    for start, end, new in sorted(patch, key=lambda splice: splice[:2]):
        if start < at:
            raise ValueError(f"splices overlap at byte {start}")
        parts += (data[at:start], new)
        at = end
    parts.append(data[at:])
    return b"".join(parts)


def compiles(text: str) -> bool:
    """Whether Python takes the text as a module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a child may say `x is 1`; nobody reads the warning
        try:
            compile(text, "<child>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


@dataclass(slots=True, eq=False)
class Source:
    """A text that parses, indexed.

    Spans are offsets into `data`, the text as UTF-8. When the text has lines `# EVOLVE-BLOCK-START` and
    `# EVOLVE-BLOCK-END`, only what lies whole between such a pair may be edited (an open block lasts to
    the end); without them everything may.
    """

    text: str
    data: bytes
    tree: ast.Module
    lines: Sequence[int]
    """Offset of the start of each line, and of the end of the text."""
    regions: tuple[tuple[int, int], ...] = ()
    marked: bool = False
    newline: bytes = b"\n"
    index: Index = field(default_factory=Index)

    def start(self, node: ast.AST) -> int:
        """Offset of a node's first byte."""
        return self.lines[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined,no-any-return]

    def end(self, node: ast.AST) -> int:
        """Offset after a node's last byte."""
        return self.lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined,no-any-return]

    def code(self, node: ast.AST) -> bytes:
        """A node's bytes."""
        return self.data[self.start(node) : self.end(node)]

    def editable(self, start: int, end: int) -> bool:
        """Whether the span lies inside one region."""
        return any(low <= start and end <= high for low, high in self.regions)

    def own_lines(self, statement: ast.stmt) -> tuple[int, int] | None:
        """The span of whole lines that hold this statement (with decorators) and nothing else, if editable."""
        first = statement
        decorators = getattr(statement, "decorator_list", ())
        line = min([first.lineno, *(one.lineno for one in decorators)])
        low, start = self.lines[line - 1], self.start(statement)
        lead = self.data[low:start] if not decorators else self.data[low : self.data.index(b"@", low)]
        if lead.strip(b" \t\f") or self.data[start : start + 4] == b"elif":
            return None
        rest = _REST_OF_LINE.match(self.data, self.end(statement))
        if rest is None or not self.editable(low, rest.end()):
            return None
        return low, rest.end()

    def indent(self, statement: ast.stmt) -> bytes:
        """The white space before a statement that begins its line."""
        low = self.lines[statement.lineno - 1]
        return self.data[low : low + statement.col_offset]

    def indent_of_line(self, node: ast.AST) -> bytes:
        """The white space that begins the line on which a node begins."""
        low = self.lines[node.lineno - 1]  # type: ignore[attr-defined]
        line = self.data[low : self.start(node)]
        return line[: len(line) - len(line.lstrip(b" \t"))]

    def string_lines(self, start: int, end: int) -> list[int]:
        """Offsets of the lines in a span that begin inside a string, and so must not be re-indented."""
        return [
            self.lines[line]
            for low, high in self.index.long_strings
            for line in range(low, high)
            if start <= self.lines[line] < end
        ]

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """The functions of the module itself."""
        for statement in self.tree.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                yield statement


@lru_cache(maxsize=64)
def source_of(text: str) -> Source | None:
    """The index of a text, or None if it does not parse."""
    try:
        data = text.encode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        source = Source(text=text, data=data, tree=tree, lines=_lines(data))
        source.newline = b"\r\n" if b"\r\n" in data else b"\n"
        source.index = indexed(tree)
        _mark(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return source


def _mark(source: Source) -> None:
    source.regions = ((0, len(source.data)),)
    if WORD.encode() not in source.data:
        return
    inside = {at for low, high in source.index.long_strings for at in source.lines[low:high]}
    regions, opened = [], None
    for match in PYTHON_MARKER.finditer(source.data):
        if match.start() in inside:
            continue
        if match[1] == b"START":
            opened = match.end() if opened is None else opened
        elif opened is not None:
            regions.append((opened, match.start()))
            opened = None
        source.marked = True
    if opened is not None:
        regions.append((opened, len(source.data)))
    if source.marked:
        source.regions = tuple(regions)
        _confine(source)


def _confine(source: Source) -> None:
    whole: dict[int, bool] = {}

    def editable(site: Site) -> bool:
        statement = site.context.statement
        known = whole.get(id(statement))
        if known is None:
            known = whole[id(statement)] = source.editable(source.start(statement), source.end(statement))
        return known or source.editable(source.start(site.node), source.end(site.node))

    index = source.index
    index.sites = [site for site in index.sites if editable(site)]
    index.numbers = [site for site in index.numbers if editable(site)]


def _lines(data: bytes) -> list[int]:
    if b"\r" in data:
        return [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", data)), len(data)]
    return [0, *accumulate(len(line) + 1 for line in data.split(b"\n"))]
