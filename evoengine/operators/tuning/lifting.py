"""Numeric literals of a program as a vector, and back."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from evoengine.operators.splice.numbers import fitted, literal, value_of
from evoengine.operators.splice.source import Site, Source, Splice, spliced

Choice: TypeAlias = Literal["floats", "reals", "ints"]
_LARGEST = 1e12
_ARRAY = 6
"""From so many literals in one statement on, they are taken for an array with a spread of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate:
    """One literal: where it stands, its value, the unit in which it is moved, and its range."""

    site: Site
    value: float
    scale: float
    whole: bool = False
    low: float = -_LARGEST
    high: float = _LARGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """A program whose literals are coordinates (K,), in the order of its text."""

    source: Source
    coordinates: tuple[Coordinate, ...]

    @property
    def start(self) -> tuple[float, ...]:
        """The values in the text (K,)."""
        return tuple(one.value for one in self.coordinates)

    def text(self) -> str:
        """The program with `_knobs_[i]` for its i-th coordinate."""
        patch = []
        for place, one in enumerate(self.coordinates):
            start, end = self.source.start(one.site.node), self.source.end(one.site.node)
            read = f"int(_knobs_[{place}])" if one.whole else f"_knobs_[{place}]"
            patch.append(Splice(start, end, fitted(self.source, start, end, read, bare=True)))
        return spliced(self.source.data, patch).decode()

    def conformed(self, point: Sequence[float]) -> tuple[float, ...]:
        """The nearest point (K,) that may be tried: finite, in range, whole where it must be."""
        values = []
        for one, value in zip(self.coordinates, point, strict=True):
            if not math.isfinite(value):
                value = one.value
            value = min(one.high, max(one.low, float(value)))
            values.append(float(round(value)) if one.whole else value)
        return tuple(values)

    def baked(self, point: Sequence[float]) -> str:
        """The program with a point's values as literals; those that did not change keep their spelling."""
        return spliced(
            self.source.data,
            [
                literal(self.source, one.site, int(value) if one.whole else value)
                for one, value in zip(self.coordinates, point, strict=True)
                if value != one.value
            ],
        ).decode()


def lifted(source: Source, choice: Choice, rng: Random, most: int) -> Lifted:
    """The coordinates of a program: the knobs that it declares, or else its literals.

    Knobs are the values of a module-level `KNOBS = {"name": (value, low, high), ...}`.

    Args:
        source: the program.
        choice: "floats"; "reals" for integers in arithmetic too, as real numbers; "ints" for all
            integers too, as whole numbers.
        rng: chooses a run of neighbours where there are more than `most`.
        most: the largest number of coordinates.
    """
    found = declared(source) or coordinates(_chosen(source, choice))
    if len(found) > most:
        first = rng.randrange(len(found) - most + 1)
        found = found[first : first + most]
    return Lifted(source=source, coordinates=tuple(found))


def _chosen(source: Source, choice: Choice) -> list[tuple[Site, bool]]:
    chosen = []
    for site in source.index.numbers:
        value = value_of(site)
        if abs(value) > _LARGEST:
            continue
        if isinstance(value, float):
            if math.isfinite(value):
                chosen.append((site, False))
        elif choice == "ints":
            chosen.append((site, True))
        elif choice == "reals" and _in_arithmetic(site):
            chosen.append((site, False))
    chosen.sort(key=lambda one: source.start(one[0].node))
    return chosen


def _in_arithmetic(site: Site) -> bool:
    """Whether an integer may as well be a real number: not in an index, a size, or an exponent."""
    parent = site.parent
    if site.context.whole or isinstance(site.context.statement, ast.For | ast.AsyncFor):
        return False
    if isinstance(parent, ast.BinOp):
        power = isinstance(parent.op, ast.Pow) and site.node is parent.right
        return not power and not isinstance(parent.op, ast.FloorDiv | ast.Mod | ast.LShift | ast.RShift)
    return isinstance(parent, ast.Return | ast.AugAssign)


def coordinates(sites: Sequence[tuple[Site, bool]]) -> list[Coordinate]:
    """A coordinate for each site (True for whole numbers), with its unit.

    The unit is the spread of the literals of one statement when they are many, or else the literal's own size;
    a small one is not taken for less than a tenth of the usual size, nor zero for nothing.
    """
    groups: dict[int, list[float]] = {}
    for site, _ in sites:
        groups.setdefault(id(site.context.statement), []).append(float(value_of(site)))
    spreads = {key: _spread(values) for key, values in groups.items() if len(values) >= _ARRAY}
    sizes = sorted(abs(value) for values in groups.values() for value in values if value)
    usual = sizes[len(sizes) // 2] if sizes else 1.0
    made = []
    for site, whole in sites:
        value = float(value_of(site))
        scale = spreads.get(id(site.context.statement), 0.0) or (max(abs(value), 0.1 * usual) if value else usual)
        made.append(Coordinate(site=site, value=value, scale=max(scale, 4.0) if whole else scale, whole=whole))
    return made


def _spread(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def declared(source: Source) -> list[Coordinate]:
    """The knobs that a program declares in what may be edited, in the order of the text."""
    knobs = []
    for statement in source.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="KNOBS")], value=ast.Dict(values=values)):
                pass
            case ast.AnnAssign(target=ast.Name(id="KNOBS"), value=ast.Dict(values=values)):
                pass
            case _:
                continue
        sites = {id(site.node): site for site in source.index.numbers if site.context.statement is statement}
        for entry in values:
            if not isinstance(entry, ast.Tuple | ast.List) or len(entry.elts) != 3:
                continue
            three = [sites[id(one)] for one in entry.elts if id(one) in sites]
            if len(three) == 3:
                knobs += _knob(*three)
    return knobs


def _knob(site: Site, low_site: Site, high_site: Site) -> list[Coordinate]:
    value, low, high = value_of(site), value_of(low_site), value_of(high_site)
    if not (low < high and low <= value <= high and math.isfinite(high - low)):
        return []
    whole = all(isinstance(one, int) for one in (value, low, high))
    scale = float(high - low) / 4
    return [Coordinate(site=site, value=float(value), scale=scale, whole=whole, low=float(low), high=float(high))]
