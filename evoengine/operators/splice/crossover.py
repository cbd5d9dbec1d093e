"""Edits that take something from another program: a function, a statement, constants."""

from __future__ import annotations

import ast
from random import Random

from evoengine.operators.splice.growth import names_in
from evoengine.operators.splice.lines import movable, shifted
from evoengine.operators.splice.numbers import fitted, literal, value_of
from evoengine.operators.splice.source import Block, Patch, Site, Source, Splice

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def x_func(source: Source, rng: Random, donor: Source) -> Patch | None:
    """A function of the donor in place of the function of that name, with what it needs of its module."""
    theirs = {one.name: one for one in donor.functions()}
    pairs = []
    for mine in source.functions():
        other = theirs.get(mine.name)
        if other is not None and donor.code(other) != source.code(mine):
            here, there = source.own_lines(mine), donor.own_lines(other)
            if here is not None and there is not None:
                pairs.append((here, there, other))
    if not pairs:
        return None
    here, there, other = rng.choice(pairs)
    return [Splice(*here, b"".join(_needed(source, donor, other)) + shifted(donor, *there, b"", b""))]


def _needed(source: Source, donor: Source, function: ast.AST) -> list[bytes]:
    """Lines of the donor's module that bind names which the function reads and the program lacks."""
    known = set(source.index.module.bound)
    lines: dict[int, bytes] = {}
    wanted = [function]
    while wanted:
        names = names_in(wanted.pop()) - known
        for statement in donor.tree.body:
            span = donor.own_lines(statement)
            if span is not None and span[0] not in lines and names & set(_binds(statement)):
                lines[span[0]] = shifted(donor, *span, b"", b"")
                known |= set(_binds(statement))
                wanted.append(statement)
    return [lines[at] for at in sorted(lines)]


def _binds(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [alias.asname or alias.name.partition(".")[0] for alias in aliases]
        case ast.Assign(targets=targets):
            return [one.id for one in targets if isinstance(one, ast.Name)]
    return []


def _bodies(source: Source) -> dict[str, list[Block]]:
    """Blocks by the name of their function, in the order of the text."""
    bodies: dict[str, list[Block]] = {}
    for block in source.index.blocks:
        node = block.scope.node
        name = node.name if isinstance(node, _Function) else "" if isinstance(node, ast.Module) else None
        if name is not None:
            bodies.setdefault(name, []).append(block)
    return bodies


def x_stmt(source: Source, rng: Random, donor: Source) -> Patch | None:
    """A statement of the donor in place of one of its kind at the like place of the like function."""
    theirs = _bodies(donor)
    spots = [
        (mine, place, block)
        for name, blocks in _bodies(source).items()
        for mine, block in zip(blocks, theirs.get(name, ()), strict=False)
        for place, statement in enumerate(mine.statements)
        if movable(statement)
    ]
    for _ in range(min(len(spots), 8)):
        mine, place, block = spots.pop(rng.randrange(len(spots)))
        statement = mine.statements[place]
        here = source.own_lines(statement)
        along = place / len(mine.statements)
        alike = [
            (abs(at / len(block.statements) - along), at)
            for at, one in enumerate(block.statements)
            if type(one) is type(statement) and donor.code(one) != source.code(statement)
        ]
        if here is None or not alike:
            continue
        chosen = min(alike)[1] if rng.random() < 0.7 else rng.choice(alike)[1]
        there = donor.own_lines(block.statements[chosen])
        if there is None:
            continue
        old, new = donor.indent(block.statements[chosen]), source.indent(statement)
        if rng.random() < 0.2:
            return [Splice(here[1], here[1], _broken(source, here[1]) + shifted(donor, *there, old, new))]
        return [Splice(*here, shifted(donor, *there, old, new))]
    return None


def _broken(source: Source, at: int) -> bytes:
    return b"" if at and source.data[at - 1 : at] in (b"\n", b"\r") else source.newline


def x_const(source: Source, rng: Random, donor: Source) -> Patch | None:
    """Literals of the donor, or values between and beyond both, where statements differ in literals only.

    Floats are blended as in BLX-0.5 (Eshelman and Schaffer 1993, doi:10.1016/B978-0-08-094832-4.50018-0).
    """
    mine, theirs = _by_skeleton(source), _by_skeleton(donor)
    pairs = [
        (here, there)
        for skeleton, sites in mine.items()
        for here, there in zip(sites, theirs.get(skeleton, ()), strict=False)
        if value_of(here) != value_of(there)
    ]
    if not pairs:
        return None
    blend, share = rng.random() < 0.5, rng.choice((0.5, 0.5, 1.0))
    patch: Patch = []
    for here, there in pairs:
        first, second = value_of(here), value_of(there)
        if rng.random() > share and len(pairs) > 1:
            continue
        if blend and isinstance(first, float) and isinstance(second, float):
            second = first + rng.uniform(-0.5, 1.5) * (second - first)
        patch.append(literal(source, here, second))
    return patch or [literal(source, pairs[0][0], value_of(pairs[0][1]))]


def _by_skeleton(source: Source) -> dict[bytes, list[Site]]:
    """Literals by their statement's line with the literals blanked; equal skeletons one after another."""
    groups: dict[int, list[Site]] = {}
    for site in source.index.numbers:
        groups.setdefault(id(site.context.statement), []).append(site)
    skeletons: dict[bytes, list[Site]] = {}
    for sites in groups.values():
        sites.sort(key=lambda site: source.start(site.node))
        statement = sites[0].context.statement
        at, parts = source.start(statement), []
        for site in sites:
            parts.append(source.data[at : source.start(site.node)])
            at = source.end(site.node)
        skeletons.setdefault(b"#".join((*parts, source.data[at : source.end(statement)])), []).extend(sites)
    return skeletons


def x_expr(source: Source, rng: Random, donor: Source) -> Patch | None:
    """An expression of the donor's like function in place of one of its kind."""
    known = set(source.index.modules) | {name for block in source.index.blocks for name in block.scope.bound}
    theirs = [site for site in donor.index.sites if not isinstance(site.node, ast.Name | ast.Constant)]
    mine = [site for site in source.index.sites if not isinstance(site.node, ast.Constant)]
    if not mine or not theirs:
        return None
    site = rng.choice(mine)
    for _ in range(12):
        other = rng.choice(theirs).node
        new, start, end = donor.code(other), source.start(site.node), source.end(site.node)
        if new != source.data[start:end] and names_in(other) - _builtins() <= known:
            return [Splice(start, end, fitted(source, start, end, new.decode()))]
    return None


def _builtins() -> frozenset[str]:
    return frozenset({"abs", "min", "max", "sum", "len", "range", "float", "int", "sorted", "list", "zip", "enumerate"})
