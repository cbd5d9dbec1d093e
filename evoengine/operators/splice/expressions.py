"""Edits of expressions: replaced, grown, shrunk, bounded, or enriched by a term that is zero at first."""

from __future__ import annotations

import ast
from random import Random

from evoengine.operators.splice.growth import names_in, soil
from evoengine.operators.splice.scope import names_at
from evoengine.operators.splice.source import Patch, Site, Source, Splice

_LONGEST_COPIED = 200


def _replaced(source: Source, site: Site, text: str) -> Patch:
    return [Splice(source.start(site.node), source.end(site.node), f"({text})".encode())]


def _in_parentheses(source: Source, site: Site) -> str:
    """A site's own text, as an operand."""
    text = source.code(site.node).decode()
    return text if isinstance(site.node, ast.Name | ast.Constant | ast.Call | ast.Subscript) else f"({text})"


def _is_numeric(site: Site) -> bool:
    """Whether an expression seems to be a number or an array of numbers."""
    node, parent = site.node, site.parent
    if isinstance(node, ast.BinOp) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)):
        return True
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float)
    if isinstance(node, ast.Name | ast.Subscript | ast.Call | ast.Attribute):
        if isinstance(parent, ast.Return | ast.Assign):
            return isinstance(node, ast.Name | ast.Call)
        return isinstance(parent, ast.BinOp | ast.AugAssign | ast.Compare | ast.UnaryOp)
    return False


def _numeric(source: Source, *, whole: bool = False) -> list[Site]:
    return [site for site in source.index.sites if _is_numeric(site) and (whole or not site.context.whole)]


def leaf(source: Source, rng: Random) -> Patch | None:
    """A name, a constant or a short expression in place of an expression."""
    sites = _numeric(source, whole=True)
    if not sites:
        return None
    site = rng.choice(sites)
    return _replaced(source, site, soil(source, site.context).leaf(rng))


def expr(source: Source, rng: Random) -> Patch | None:
    """Another expression of the program whose names are in scope, in place of an expression."""
    sites = source.index.sites
    if len(sites) < 2:
        return None
    site = rng.choice(sites)
    visible = {*names_at(source, site.context), *source.index.modules}
    same = [one for one in sites if one.context.scope is site.context.scope]
    pool = same if rng.random() < 0.8 else sites
    old = source.code(site.node)
    for _ in range(12):
        other = rng.choice(pool).node
        new = source.code(other)
        if new != old and len(new) <= _LONGEST_COPIED and names_in(other) & _known(source) <= visible:
            return _replaced(source, site, new.decode())
    return None


def _known(source: Source) -> set[str]:
    """Names that some function of the program binds: those that may be out of scope elsewhere."""
    return {name for block in source.index.blocks for name in block.scope.bound}


def grow(source: Source, rng: Random) -> Patch | None:
    """An expression combined with a random one."""
    sites = _numeric(source, whole=rng.random() < 0.2)
    if not sites:
        return None
    site = rng.choice(sites)
    ground = soil(source, site.context)
    text = _in_parentheses(source, site)
    chance, more = rng.random(), ground.expression(rng, rng.randrange(1, 4))
    if chance < 0.6:
        pair = (text, more) if rng.random() < 0.8 else (more, text)
        return _replaced(source, site, f"{pair[0]} {ground.operator(rng)} {pair[1]}")
    if chance < 0.75:
        return _replaced(source, site, ground.unary(rng, text))
    if chance < 0.88:
        return _replaced(source, site, ground.binary(rng, text, more))
    return _replaced(source, site, ground.choice(rng, ground.test(rng), text, more))


def neutral(source: Source, rng: Random) -> Patch | None:
    """A term with a coefficient of zero: it changes nothing yet, and gives tuning a direction."""
    sites = _numeric(source)
    if not sites:
        return None
    site = rng.choice(sites)
    text = _in_parentheses(source, site)
    more = soil(source, site.context).expression(rng, rng.randrange(1, 4))
    if rng.random() < 0.7:
        return _replaced(source, site, f"{text} + 0.0 * {more}")
    return _replaced(source, site, f"{text} * (1.0 + 0.0 * {more})")


def shrink(source: Source, rng: Random) -> Patch | None:
    """One of an expression's own parts in its place."""
    parts = {
        id(site.node): [one for one in ast.iter_child_nodes(site.node) if isinstance(one, ast.expr)]
        for site in source.index.sites
        if isinstance(site.node, ast.BinOp | ast.IfExp | ast.Call | ast.UnaryOp)
    }
    inner: list[tuple[Site, ast.expr]] = []
    for site in source.index.sites:
        for part in parts.get(id(site.node), ()):
            if isinstance(site.node, ast.Call) and (part is site.node.func or isinstance(part, ast.Starred)):
                continue
            if not isinstance(part, ast.JoinedStr):
                inner.append((site, part))
    if not inner:
        return None
    site, part = rng.choice(inner)
    return _replaced(source, site, source.code(part).decode())


def clamp(source: Source, rng: Random) -> Patch | None:
    """An expression bounded from below, from above, or both."""
    sites = _numeric(source)
    if not sites:
        return None
    site = rng.choice(sites)
    ground = soil(source, site.context)
    text, low, high = _in_parentheses(source, site), ground.leaf(rng), ground.leaf(rng)
    if rng.random() < 0.6:
        return _replaced(source, site, ground.binary(rng, text, low))
    if ground.elementwise(rng):
        return _replaced(source, site, f"{ground.numpy}.clip({text}, {low}, {high})")
    return _replaced(source, site, f"max({low}, min({high}, {text}))")
