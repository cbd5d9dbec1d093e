"""Merges of Python programs on their syntax trees, with formatting and comments.

Statements are matched by what they say, then by what they define, then by their kind; what only one side changed is
taken from it as it is, and what both changed is merged within: a body by its statements, a head by its parts.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import libcst as cst

from evoengine.operators.editing.syntax import parsed
from evoengine.operators.merging.imports import bound_by, united_import
from evoengine.operators.merging.sequences import Chunk, chunks, matches
from evoengine.operators.merging.values import Merger, shown, shown_of

Statement: TypeAlias = cst.BaseStatement

_COMPOUND = (
    cst.FunctionDef,
    cst.ClassDef,
    cst.If,
    cst.Else,
    cst.For,
    cst.While,
    cst.With,
    cst.Try,
    cst.TryStar,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.Finally,
    cst.Match,
    cst.MatchCase,
)
_APART = frozenset(
    {
        "leading_lines",
        "lines_after_decorators",
        "decorators",
        "name",
        "params",
        "returns",
        "body",
        "orelse",
        "finalbody",
        "handlers",
        "cases",
    }
)
"""Parts of a compound statement that may change independently; all others are one: its head."""
_DEEPEST = 90
"""Levels of a tree: a parser that calls itself for each has no way to say that it ran out of stack."""


def merged_tree(merger: Merger, base: str, first: str, second: str) -> str | None:
    """The text with what both sides changed; None where one of them has no tree, or they are not laid out alike."""
    modules = [_module(text) for text in (base, first, second)]
    old, one, other = modules
    if old is None or one is None or other is None:
        return None
    manners = {
        (module.default_newline, module.default_indent, module.has_trailing_newline) for module in modules if module
    }
    return _Trees(merger, old).module(old, one, other).code if len(manners) == 1 else None


def _module(text: str) -> cst.Module | None:
    tree = parsed(text)
    if tree is None or _depth(tree) > _DEEPEST:
        return None
    try:
        module = cst.parse_module(text)
    except (cst.ParserSyntaxError, cst.CSTValidationError, RecursionError, ValueError):
        return None
    return module if module.code == text else None


def _depth(tree: ast.AST) -> int:
    level: list[ast.AST] = [tree]
    depth = 0
    while level and depth <= _DEEPEST:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


class _Trees:
    """Merges nodes of three trees; a node's text stands for it in every comparison."""

    def __init__(self, merger: Merger, base: cst.Module) -> None:
        self.merger = merger
        self.base = base
        self.texts: dict[int, str] = {}
        self.kept: list[object] = []

    def module(self, old: cst.Module, first: cst.Module, second: cst.Module) -> cst.Module:
        """A module of the base's manner with what both sides changed."""
        return old.with_changes(
            header=self.value(old.header, first.header, second.header),
            body=self.statements(old.body, first.body, second.body, declares=True),
            footer=self.value(old.footer, first.footer, second.footer),
        )

    def text(self, value: object) -> str:
        """The code of a node, of several one behind the other, or of what stands for none."""
        match value:
            case cst.Annotation():  # its arrow or colon is its owner's to write
                return self.text(
                    [value.whitespace_before_indicator, value.whitespace_after_indicator, value.annotation]
                )
            case cst.CSTNode():
                known = self.texts.get(id(value))
                if known is None:
                    known = self.texts[id(value)] = self.base.code_for_node(value)
                    self.kept.append(value)  # so that no other node gets its id
                return known
            case list() | tuple():
                return "\0".join(self.text(one) for one in value)
        return repr(value)

    def said(self, statement: cst.CSTNode) -> str:
        """A statement's text without what stands above it."""
        above = "".join(self.text(line) for line in getattr(statement, "leading_lines", ()))
        return self.text(statement).removeprefix(above).strip()

    def value(self, old: Any, first: Any, second: Any) -> Any:
        """A part of a tree with what both sides changed."""
        texts = [self.text(one) for one in (old, first, second)]
        if texts[1] in (texts[0], texts[2]):
            return second
        if texts[2] == texts[0]:
            return first
        values = (old, first, second)
        kinds = {type(value) for value in values}
        if all(isinstance(value, list | tuple) for value in values):
            return self.elements(old, first, second)
        if len(kinds) == 1:
            match old:
                case cst.IndentedBlock():
                    return self.block(old, first, second, declares=False)
                case cst.SimpleStatementLine():
                    return self.line(old, first, second)
                case cst.Parameters():
                    return self.parts(old, first, second, {field.name for field in fields(old)})
                case _ if isinstance(old, _COMPOUND):
                    return self.parts(old, first, second, _APART)
        return self.conflict(old, first, second)

    def conflict(self, old: Any, first: Any, second: Any) -> Any:
        """One of the sides, as both changed one thing."""
        texts = [self.text(one).replace("\0", "\n") for one in (old, first, second)]
        return self.merger.chosen(first, second, f"both change {shown_of(*[[text] for text in texts])}")

    def elements(self, old: Sequence[Any], first: Sequence[Any], second: Sequence[Any]) -> Sequence[Any]:
        """A list of parts (decorators, parameters, handlers, lines of comments), one by one where none came or went."""
        if len(old) == len(first) == len(second):
            return [self.value(*trio) for trio in zip(old, first, second, strict=True)]
        sides = (old, first, second)
        texts = [[self.text(one) for one in side] for side in sides]
        found = [matches([texts[0]], [side]) for side in texts[1:]]
        result: list[Any] = []
        for chunk in chunks(found[0], found[1], len(old), (len(first), len(second))):
            spans = [side[span.start : span.stop] for side, span in zip(sides, chunk[:3], strict=True)]
            said = [self.text(span) for span in spans]
            if said[1] in (said[0], said[2]):
                result += spans[2]
            elif said[2] == said[0]:
                result += spans[1]
            else:
                result += self.conflict(*spans)
        return result

    def parts(self, old: Any, first: Any, second: Any, apart: set[str] | frozenset[str]) -> Any:
        """A node, merged part by part; the parts that belong together are its head."""
        names = [field.name for field in fields(old) if field.init]
        head = [name for name in names if name not in apart]
        heads = [self.text([getattr(node, name) for name in head]) for node in (old, first, second)]
        if heads[1] in (heads[0], heads[2]):
            chosen = second
        elif heads[2] == heads[0]:
            chosen = first
        else:
            where = f"both change the head of {shown(self.said(old))}"
            chosen = self.merger.chosen(first, second, where)
        changes = {name: getattr(chosen, name) for name in head}
        for name in names:
            if name in apart:
                trio = [getattr(node, name) for node in (old, first, second)]
                if name == "body" and isinstance(old, cst.ClassDef) and self.blocks(trio):
                    changes[name] = self.block(*trio, declares=True)
                else:
                    changes[name] = self.value(*trio)
        try:
            return old.with_changes(**changes)
        except cst.CSTValidationError:  # white space of one side beside words of the other
            return self.conflict(old, first, second)

    @staticmethod
    def blocks(values: Sequence[Any]) -> bool:
        """Whether all are blocks below a line."""
        return all(isinstance(value, cst.IndentedBlock) for value in values)

    def block(
        self, old: cst.IndentedBlock, first: cst.IndentedBlock, second: cst.IndentedBlock, *, declares: bool
    ) -> cst.IndentedBlock:
        """A block of statements with what both sides changed."""
        body = self.statements(old.body, first.body, second.body, declares=declares)
        return old.with_changes(
            body=body,
            indent=self.value(old.indent, first.indent, second.indent),
            header=self.value(old.header, first.header, second.header),
            footer=self.value(old.footer, first.footer, second.footer),
        )

    def line(
        self, old: cst.SimpleStatementLine, first: cst.SimpleStatementLine, second: cst.SimpleStatementLine
    ) -> Any:
        """A line of simple statements: what it says is one, the comments above and behind it are others."""
        bodies = [self.text(node.body) for node in (old, first, second)]
        if bodies[1] in (bodies[0], bodies[2]):
            body = second.body
        elif bodies[2] == bodies[0]:
            body = first.body
        else:
            united = united_import(old, first, second)
            body = [united] if united is not None else self.conflict(old.body, first.body, second.body)
        return old.with_changes(
            leading_lines=self.value(old.leading_lines, first.leading_lines, second.leading_lines),
            body=body,
            trailing_whitespace=self.value(
                old.trailing_whitespace, first.trailing_whitespace, second.trailing_whitespace
            ),
        )

    def statements(
        self, old: Sequence[Any], first: Sequence[Any], second: Sequence[Any], *, declares: bool
    ) -> Sequence[Any]:
        """The statements of a block with what both sides changed.

        Args:
            old: of the program that both are from.
            first: of one side.
            second: of the other.
            declares: whether new definitions of both sides at one place may stand one behind the other, as their order
                says nothing.
        """
        sides = (old, first, second)
        texts = [[self.text(one) for one in side] for side in sides]
        if texts[1] in (texts[0], texts[2]):
            return second
        if texts[2] == texts[0]:
            return first
        levels: list[list[list[Hashable]]] = [
            [[self.said(one) for one in side], [self.name(one) for one in side]] for side in sides
        ]
        kinds: list[list[Hashable]] = [[type(one).__name__ for one in side] for side in sides]
        found = [matches(levels[0], levels[at], [kinds[0], kinds[at]]) for at in (1, 2)]
        result: list[Any] = []
        for chunk in chunks(found[0], found[1], len(old), (len(first), len(second))):
            if chunk.stable:
                result.append(self.value(old[chunk.old.start], first[chunk.first.start], second[chunk.second.start]))
            else:
                result += self.between(sides, chunk, declares=declares)
        twice = self.defined_twice(sides, result)
        return result if twice is None else self.merger.chosen(first, second, f"both define {twice} at other places")

    def between(self, sides: tuple[Sequence[Any], ...], chunk: Chunk, *, declares: bool) -> Sequence[Any]:
        """Statements that not both sides still have."""
        old, first, second = (side[span.start : span.stop] for side, span in zip(sides, chunk[:3], strict=True))
        texts = [[self.text(one) for one in part] for part in (old, first, second)]
        if texts[1] in (texts[0], texts[2]):
            return second
        if texts[2] == texts[0]:
            return first
        if declares and not old:
            united = self.united(first, second)
            if united is not None:
                return united
        return self.merger.chosen(first, second, f"both change the statements at {shown_of(*texts)}")

    def united(self, first: Sequence[Any], second: Sequence[Any]) -> Sequence[Any] | None:
        """New definitions and imports of both sides, in an order that does not depend on which is the first."""
        names = [[bound_by(one) for one in part] for part in (first, second)]
        if any(name is None for part in names for name in part):
            return None
        bound = [{one for name in part if name is not None for one in name} for part in names]
        known = {self.said(one) for one in first} & {self.said(one) for one in second}
        shared = [
            {name for one in part if self.said(one) in known for name in bound_by(one) or ()}
            for part in (first, second)
        ]
        if bound[0] & bound[1] - (shared[0] & shared[1]):
            return None
        parts = sorted((first, second), key=lambda part: [self.said(one) for one in part])
        return [*parts[0], *(one for one in parts[1] if self.said(one) not in known)]

    def defined_twice(self, sides: tuple[Sequence[Any], ...], result: Sequence[Any]) -> str | None:
        """A function or a class that stands more often in a merged block than in either side's."""
        counts = [Counter(self.defined(one) for one in side) for side in (*sides, result)]
        for name, count in counts[-1].items():
            if name and count > 1 and count > max(side[name] for side in counts[:-1]):
                return name
        return None

    @staticmethod
    def defined(statement: Any) -> str:
        """The name of a function or a class, or ""."""
        return statement.name.value if isinstance(statement, cst.FunctionDef | cst.ClassDef) else ""

    def name(self, statement: Any) -> Hashable:
        """What a statement is known by when it has changed: what it defines or assigns, or else its head."""
        kind = type(statement).__name__
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            return (kind, statement.name.value)
        if not isinstance(statement, cst.SimpleStatementLine):
            head = [getattr(statement, field.name) for field in fields(statement) if field.name not in _APART]
            return (kind, self.text(head))
        small = statement.body[0]
        match small:
            case cst.Assign(targets=targets):
                return ("=", self.text([target.target for target in targets]))
            case cst.AnnAssign(target=target) | cst.AugAssign(target=target):
                return (type(small).__name__, self.text(target))
            case cst.ImportFrom(module=module, relative=relative):
                return ("from", self.text(module), len(relative))
            case cst.Import(names=names):
                return ("import", self.text([one.name for one in names]))
            case cst.Expr(value=cst.Call(func=called)):
                return ("call", self.text(called))
        return (type(small).__name__,)
