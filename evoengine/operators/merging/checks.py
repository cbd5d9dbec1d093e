"""What a merge must not have lost, found without the tree that it was made on.

A merge of lists takes no notice of a statement that one side moves and the other changes or takes away, or that both
move to different places: counting finds them. So it does where one side takes away what the other begins to use.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter

from evoengine.operators.editing.syntax import parsed
from evoengine.operators.merging.values import shown

_MODULE = frozenset({"__name__", "__file__", "__doc__", "__builtins__", "__spec__", "__loader__", "__package__"})
_KNOWN = frozenset(dir(builtins)) | _MODULE


def lost_statements(base: str, first: str, second: str, text: str) -> str | None:
    """Which statement stands in a merge more or less often than both sides make of it; None if there is none.

    Judged where one side has left its number alone: then the other side's change decides alone.
    """
    old, one, other, come = (_statements(part) for part in (base, first, second, text))
    for statement in sorted({*old, *one, *other, *come}):
        if old[statement] not in (one[statement], other[statement]):
            continue
        meant = one[statement] + other[statement] - old[statement]
        if come[statement] != meant:
            more = "more" if come[statement] > meant else "less"
            return f"they move or change {shown(statement)} in ways that leave it {more} often than either wants"
    return None


def lost_names(first: str, second: str, text: str) -> str | None:
    """Which name a merge uses that nothing binds any more, although both sides bind what they use; or None."""
    new = _unbound(text) - _unbound(first) - _unbound(second)
    return f"one of them uses {min(new)!r}, and the other takes it away" if new else None


def _statements(text: str) -> Counter[str]:
    """How often each statement stands in a program: compound ones by their names alone, imports left out."""
    tree = parsed(text)
    found: Counter[str] = Counter()
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Import() | ast.ImportFrom():
                pass  # those of both sides may be united in one
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found[f"def {name}"] += 1
            case ast.ClassDef(name=name):
                found[f"class {name}"] += 1
            case ast.stmt() if not hasattr(node, "body") and not hasattr(node, "cases"):
                found[_said(text, node)] += 1
    return found


def _said(text: str, node: ast.stmt) -> str:
    """A statement's code in one manner of writing, or as it stands where it nests too deep for that."""
    try:
        return ast.unparse(node)
    except RecursionError:
        return ast.get_source_segment(text, node) or ""


def _unbound(text: str) -> set[str]:
    """Names that a program reads and nowhere binds, whatever the scope."""
    tree = parsed(text)
    read: set[str] = set()
    bound: set[str] = set(_KNOWN)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias(name=name, asname=other):
                if name == "*":
                    return set()  # it may bind any name
                bound.add((other or name).partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                bound.add(name)
    return read - bound
