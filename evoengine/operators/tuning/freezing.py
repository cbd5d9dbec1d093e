"""Trace and freeze: an array that a program computes becomes literals, which can then be tuned."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from evoengine.operators.splice.lines import inserted
from evoengine.operators.splice.scope import kind_of, module_alias
from evoengine.operators.splice.source import Block, Patch, Source, Splice, compiles, source_of, spliced
from evoengine.operators.tuning.effects import idle_before, modified
from evoengine.types import JSON

PROBE = "__probe__"
_FEWEST, _MOST = 2, 400
_DEEPEST = 12
"""Nested lists of a snapshot: two for each level of the value."""
_LARGEST = 1e15
_WIDTH = 100
_LIKELY = {"array": 0.2, "any": 1.0, "number": 2.0}
"""Kinds of names that may hold arrays; the smaller the figure, the earlier they are looked at."""
_PROBE = """
__captured__ = []


def __snapshot__(value, room):
    if hasattr(value, "tolist") and hasattr(value, "shape"):
        value = value.tolist()
        return ["array", __snapshot__(value, room)] if isinstance(value, list) else __snapshot__(value, room)
    if type(value) in (list, tuple):
        return [type(value).__name__, [__snapshot__(one, room) for one in value]]
    room[0] -= 1
    if type(value) in (int, float) and value - value == 0 and abs(value) < 1e15 and room[0] >= 0:
        return value
    raise ValueError("not a few finite numbers")


def __kept__(value):
    try:
        __captured__[1:] = [__snapshot__(value, [{most}])]
    except ValueError:
        __captured__[1:] = [None]
    if len(__captured__) == 1:
        __captured__.insert(0, __captured__[0])
    return value


def __probe__(*args):
    __captured__.clear()
    {entry}(*args)
    return __captured__
"""


@dataclass(frozen=True, slots=True)
class Capture:
    """A place where a value can be captured: after a statement that changes `name`, or what it returns (None)."""

    block: Block
    place: int
    name: str | None

    @property
    def statement(self) -> ast.stmt:
        return self.block.statements[self.place]


def captures(source: Source) -> list[Capture]:
    """Every place where an array or list may be captured: in the bodies of functions that may be edited."""
    return list(_captures(source))


def _captures(source: Source) -> Iterator[Capture]:
    for block in source.index.blocks:
        if not isinstance(block.owner, ast.FunctionDef):
            continue
        for place, statement in enumerate(block.statements):
            if source.own_lines(statement) is None:
                continue
            if isinstance(statement, ast.Return):
                if statement.value is not None and not _is_literal(statement.value):
                    yield Capture(block, place, None)
                continue
            if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_literal(statement.value):
                continue
            for name in modified(statement, source):
                if kind_of(source, name) in _LIKELY and name in block.scope.bound:
                    yield Capture(block, place, name)


def _is_literal(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Call) and len(node.args) == 1:
        node = node.args[0]
    if not isinstance(node, ast.List | ast.Tuple | ast.Constant):
        return isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    return isinstance(node, ast.Constant) or all(_is_literal(one) for one in node.elts)


def probing(source: Source, capture: Capture, entry: str) -> str | None:
    """The program with a function `__probe__` that gives the first and the last value captured in a call."""
    statement = capture.statement
    span = source.own_lines(statement)
    if span is None:
        return None
    patch: Patch = []
    if capture.name is None:
        assert isinstance(statement, ast.Return)
        assert statement.value is not None
        value = statement.value
        patch.append(Splice(source.start(value), source.end(value), b" __kept__((" + source.code(value) + b"))"))
    else:
        patch.append(inserted(source, span[1], source.indent(statement), f"__kept__({capture.name})"))
    text = spliced(source.data, patch).decode() + "\n" + _PROBE.format(most=_MOST, entry=entry)
    return text if compiles(text) else None


@dataclass(frozen=True, slots=True)
class Frozen:
    """A program in which a captured value is a literal, and the literal's span."""

    source: Source
    start: int
    end: int


def frozen(source: Source, capture: Capture, value: JSON) -> Frozen | None:
    """The program with a captured value as literals; None if the value is not a few numbers, or all are equal.

    Statements before it that served only to compute the value are left out.
    """
    if not _is_shallow(value, _DEEPEST):
        return None
    numbers = list(_numbers(value))
    if not _FEWEST <= len(numbers) <= _MOST or len(set(numbers)) == 1:
        return None
    statement, numpy = capture.statement, module_alias(source, "numpy")
    indent = source.indent(statement).decode()
    text = written(value, numpy, indent)
    span = source.own_lines(statement)
    if text is None or span is None:
        return None
    if capture.name is None:  # what is returned needs nothing that came before
        idle = [capture.place, *idle_before(source, capture.block, capture.place - 1, ())]
    else:
        idle = idle_before(source, capture.block, capture.place, (capture.name,))
    keyword = "return" if capture.name is None else f"{capture.name} ="
    line = f"{indent}{keyword} {text}".replace("\n", source.newline.decode()).encode() + source.newline
    whole = capture.name is None or capture.place in idle
    patch = [
        Splice(*lines, b"")
        for place in idle
        if place != capture.place and (lines := source.own_lines(capture.block.statements[place])) is not None
    ]
    if whole:
        patch.append(Splice(*span, line))
    else:
        ended = source.data[: span[1]].endswith((b"\n", b"\r"))
        patch.append(Splice(span[1], span[1], line if ended else source.newline + line))
    child = source_of(spliced(source.data, patch).decode())
    if child is None or not compiles(child.text):
        return None
    start = child.data.find(line)
    return Frozen(child, start, start + len(line)) if start >= 0 else None


def _is_shallow(value: JSON, room: int) -> bool:
    return not isinstance(value, list) or (room > 0 and all(_is_shallow(one, room - 1) for one in value))


def _numbers(value: JSON) -> Iterator[float]:
    match value:
        case [str(), inner]:
            yield from _numbers(inner)
        case list():
            for one in value:
                yield from _numbers(one)
        case int() | float():
            yield value


def written(value: JSON, numpy: str | None, indent: str) -> str | None:
    """The source text of a snapshot, broken into lines of rows; None if it is no snapshot."""
    match value:
        case ["array", inner]:
            text = written(inner, None, indent)
            return None if numpy is None or text is None else f"{numpy}.array({text})"
        case ["list" | "tuple" as kind, list(items)]:
            parts = [written(one, numpy, indent + "    ") for one in items]
            if not all(parts):
                return None
            opening, closing = ("[", "]") if kind == "list" else ("(", ")")
            texts = [str(part) for part in parts]
            flat = ", ".join(texts) + ("," if kind == "tuple" and len(texts) == 1 else "")
            if len(flat) <= _WIDTH and "\n" not in flat:
                return f"{opening}{flat}{closing}"
            return f"{opening}\n" + "".join(f"{indent}    {text},\n" for text in _rows(texts)) + f"{indent}{closing}"
        case bool():
            return None
        case int() | float() if abs(value) < _LARGEST:
            return repr(value)
    return None


def _rows(texts: list[str]) -> list[str]:
    rows: list[str] = []
    for text in texts:
        joined = f"{rows[-1]}, {text}" if rows else text
        if rows and text[0] not in "[(" and len(joined) <= _WIDTH:
            rows[-1] = joined
        else:
            rows.append(text)
    return rows


def chosen(source: Source, rng: Random) -> list[Capture]:
    """Captures in a random order in which what seems to be an array comes early."""
    places = captures(source)
    keys = [rng.random() ** (_LIKELY[kind_of(source, one.name)] if one.name is not None else 0.7) for one in places]
    order = sorted(range(len(places)), key=lambda at: -keys[at])
    return [places[at] for at in order]
