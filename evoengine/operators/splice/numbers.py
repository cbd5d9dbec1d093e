"""Edits of numeric literals: one, all, a run of neighbours."""

from __future__ import annotations

import ast
import math
from random import Random

from evoengine.operators.splice.source import Patch, Site, Source, Splice

_FAVOURITES = (0.0, 1.0, -1.0, 0.5, 2.0, 0.1, 10.0, math.pi, math.e, 1e-6)


def value_of(site: Site) -> int | float:
    """The number that a literal stands for."""
    node = site.node
    if isinstance(node, ast.UnaryOp):
        return -node.operand.value  # type: ignore[attr-defined,no-any-return]
    return node.value  # type: ignore[attr-defined,no-any-return]


def literal(source: Source, site: Site, value: int | float) -> Splice:
    """Puts a finite number in a literal's place, in parentheses where its neighbours ask for them."""
    start, end = source.start(site.node), source.end(site.node)
    return Splice(start, end, fitted(source, start, end, repr(value), bare=value >= 0 and not _negative_zero(value)))


def fitted(source: Source, start: int, end: int, text: str, *, bare: bool = False) -> bytes:
    """An expression's text for a span, in parentheses unless it is an atom that cannot fuse with its neighbours."""
    before, after = source.data[max(0, start - 1) : start], source.data[end : end + 1]
    if bare and not _fuses(before) and not _fuses(after):
        return text.encode()
    return f"({text})".encode()


def _fuses(neighbour: bytes) -> bool:
    return neighbour.isalnum() or neighbour in (b"_", b".") or neighbour >= b"\x80"


def _negative_zero(value: int | float) -> bool:
    return value == 0 and math.copysign(1.0, value) < 0


def moved(value: int | float, scale: float, rng: Random) -> int | float:
    """A number near another, in relative units of `scale`; of the same type, finite, and different.

    Floats move by a log-normal factor and a normal step; integers by at least one.
    """
    if isinstance(value, int):
        if abs(value) > 1 << 40:
            return value + rng.choice((-1, 1))
        step = max(1, round(abs(rng.gauss(0.0, scale) * value)))
        if abs(value) <= 20:
            step = 1 + min(int(rng.expovariate(1.0)), 8)
        after = value + rng.choice((-step, step))
        return 1 if value >= 1 > after and rng.random() < 0.5 and value != 1 else after
    size = abs(value) if value else 1.0
    new = value * math.exp(min(20.0, scale * rng.gauss(0.0, 1.0))) + 0.3 * scale * size * rng.gauss(0.0, 1.0)
    if not math.isfinite(new) or abs(new) > 1e100:
        return value / 2 if value else 1.0
    short = float(f"{new:.6g}")
    if scale > 0.01 and short != value:
        return short
    return new if new != value else value + size * 1e-9


def scale(rng: Random) -> float:
    """A relative step size, log-uniform over 0.001 to 1: whatever scale fits is tried often enough."""
    return float(10.0 ** rng.uniform(-3.0, 0.0))


def const(source: Source, rng: Random) -> Patch | None:
    """Moves one literal; now and then to a common number, or with its sign turned."""
    sites = source.index.numbers
    if not sites:
        return None
    site = rng.choice(sites)
    value, chance = value_of(site), rng.random()
    if isinstance(value, float) and chance < 0.06:
        return [literal(source, site, rng.choice([one for one in _FAVOURITES if one != value]))]
    if chance < 0.1 and value:
        return [literal(source, site, -value)]
    if isinstance(value, int) and chance < 0.2 and 1 < abs(value) < 1 << 20:
        return [literal(source, site, rng.choice((value * 2, value // 2)))]
    return [literal(source, site, moved(value, scale(rng), rng))]


def const_all(source: Source, rng: Random) -> Patch | None:
    """Moves all literals at once by one scale; integers each with a chance of a tenth."""
    size = scale(rng)
    floats = [site for site in source.index.numbers if isinstance(value_of(site), float)]
    sites = floats + [site for site in source.index.numbers if site not in floats and rng.random() < 0.1]
    return [literal(source, site, moved(value_of(site), size, rng)) for site in sites] or None


def const_run(source: Source, rng: Random) -> Patch | None:
    """Moves a run of neighbouring literals: in a list of points, one or a few points."""
    sites = source.index.numbers
    if len(sites) < 2:
        return None
    length = min(len(sites), 2 + min(int(rng.expovariate(0.5)), 8))
    first = rng.randrange(len(sites) - length + 1)
    size = scale(rng)
    return [literal(source, site, moved(value_of(site), size, rng)) for site in sites[first : first + length]]
