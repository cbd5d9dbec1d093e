"""Edits of statements: deleted, doubled, swapped, moved, guarded, repeated; loop bounds; new variables."""

from __future__ import annotations

import ast
from random import Random

from evoengine.operators.splice.growth import soil
from evoengine.operators.splice.lines import inserted, leaves, movable, shifted, some_statement, unit, working_blocks
from evoengine.operators.splice.scope import fresh
from evoengine.operators.splice.source import Block, Context, Patch, Source, Splice


def sdel(source: Source, rng: Random) -> Patch | None:
    """A statement left out."""
    found = some_statement(source, rng)
    if found is None:
        return None
    block, place, start, end = found
    statement = block.statements[place]
    if len(block.statements) > 1 and not (
        leaves(statement) and place == len(block.statements) - 1 and _is_function(block)
    ):
        return [Splice(start, end, b"")]
    return [Splice(source.start(statement), source.end(statement), b"pass")] if not _is_function(block) else None


def _is_function(block: Block) -> bool:
    return isinstance(block.owner, ast.FunctionDef | ast.AsyncFunctionDef)


def sdup(source: Source, rng: Random) -> Patch | None:
    """A statement that stands twice."""
    found = some_statement(source, rng)
    if found is None or leaves(found[0].statements[found[1]]):
        return None
    block, place, start, end = found
    indent = source.indent(block.statements[place])
    return [Splice(end, end, _led(source, end) + shifted(source, start, end, indent, indent))]


def _led(source: Source, at: int) -> bytes:
    """What has to stand before lines that are inserted at a place: a line's end, if it lacks one."""
    return b"" if at == 0 or source.data[at - 1 : at] in (b"\n", b"\r") else source.newline


def sswap(source: Source, rng: Random) -> Patch | None:
    """Two statements of a block, mostly neighbours, in each other's place."""
    found = some_statement(source, rng)
    if found is None:
        return None
    block, place, start, end = found
    others = [at for at in range(len(block.statements)) if at != place and movable(block.statements[at])]
    if not others:
        return None
    near = [at for at in others if abs(at - place) == 1]
    other = block.statements[rng.choice(near if near and rng.random() < 0.7 else others)]
    span = source.own_lines(other)
    first = block.statements[place]
    if span is None or source.indent(other) != source.indent(first):
        return None
    indent = source.indent(first)
    return [
        Splice(start, end, shifted(source, *span, indent, indent)),
        Splice(*span, shifted(source, start, end, indent, indent)),
    ]


def smove(source: Source, rng: Random) -> Patch | None:
    """A statement moved to another place of its function, in a block of its own depth or another."""
    found = some_statement(source, rng)
    if found is None:
        return None
    block, place, start, end = found
    statement = block.statements[place]
    if len(block.statements) < 2 or (leaves(statement) and _is_function(block)):
        return None
    targets = [
        one
        for other in working_blocks(source)
        if other.scope is block.scope
        for one in other.statements
        if one is not statement and movable(one)
    ]
    while targets:
        target = targets.pop(rng.randrange(len(targets)))
        span = source.own_lines(target)
        if span is not None and not (start <= span[0] < end) and span[0] != end:
            old, new = source.indent(statement), source.indent(target)
            return [Splice(start, end, b""), Splice(span[0], span[0], shifted(source, start, end, old, new))]
    return None


def _wrapped(source: Source, statement: ast.stmt, start: int, end: int, head: str) -> Patch:
    indent = source.indent(statement)
    deeper = indent + unit(source, indent)
    inside = shifted(source, start, end, indent, deeper)
    return [Splice(start, end, indent + head.encode() + source.newline + inside)]


def guard(source: Source, rng: Random) -> Patch | None:
    """A statement under a condition; in a loop also: the rest of the turn left out under a condition."""
    found = some_statement(source, rng)
    if found is None:
        return None
    block, place, start, end = found
    statement = block.statements[place]
    test = soil(source, Context(statement, block.scope)).test(rng)
    if block.loop and rng.random() < 0.3:
        step = unit(source, source.indent(statement)).decode()
        word = rng.choice(("continue", "continue", "break"))
        return [inserted(source, start, source.indent(statement), f"if {test}:\n{step}{word}")]
    return _wrapped(source, statement, start, end, f"if {test}:")


def repeat(source: Source, rng: Random) -> Patch | None:
    """A statement run several times."""
    found = some_statement(source, rng)
    if found is None or leaves(found[0].statements[found[1]]):
        return None
    block, place, start, end = found
    times = rng.choice((2, 3, 5, 10, 30))
    return _wrapped(source, block.statements[place], start, end, f"for {fresh(source, 'turn')} in range({times}):")


def newvar(source: Source, rng: Random) -> Patch | None:
    """A new variable, bound before a statement and used in it."""
    found = some_statement(source, rng, ast.Assign, ast.AugAssign, ast.Return, ast.Expr, ast.If, ast.AnnAssign)
    if found is None:
        return None
    block, place, start, _ = found
    statement = block.statements[place]
    sites = [site for site in source.index.sites if site.context.statement is statement and not site.context.whole]
    if not sites:
        return None
    site = rng.choice(sites)
    name = fresh(source, "extra")
    text = soil(source, Context(statement, block.scope)).expression(rng, 3)
    old = source.code(site.node).decode()
    new = name if rng.random() < 0.3 else f"({old}) {rng.choice('+-*')} {name}"
    return [
        inserted(source, start, source.indent(statement), f"{name} = {text}"),
        Splice(source.start(site.node), source.end(site.node), f"({new})".encode()),
    ]


def loop(source: Source, rng: Random) -> Patch | None:
    """Another bound of a `range`, another order of a loop, or a loop ended early."""
    ranges = [
        site
        for site in source.index.sites
        if isinstance(site.node, ast.Call)
        and isinstance(site.node.func, ast.Name)
        and site.node.func.id == "range"
        and site.node.args
        and not any(isinstance(one, ast.Starred) for one in site.node.args)
    ]
    iterables = [
        site
        for site in source.index.sites
        if isinstance(site.parent, ast.For | ast.comprehension) and site.node is site.parent.iter
    ]
    if ranges and rng.random() < 0.75:
        node = rng.choice(ranges).node
        assert isinstance(node, ast.Call)
        bound = rng.choice(node.args)
        text = f"({source.code(bound).decode()})"
        form = rng.choice(("{} + 1", "{} - 1", "{} * 2", "{} // 2", "{} + 2", "{} * 3", "max(1, {} - 1)"))
        return [Splice(source.start(bound), source.end(bound), f"({form.format(text)})".encode())]
    if not iterables:
        return None
    node = rng.choice(iterables).node
    text = source.code(node).decode()
    form = rng.choice(("reversed(list({}))", "list({})[1:]", "list({})[:-1]", "sorted({})", "list({})[::2]"))
    return [Splice(source.start(node), source.end(node), form.format(text).encode())]
