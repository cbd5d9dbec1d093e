"""Unit hexagons in the smallest hexagon: disjointness and the outer side are certified in integers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from evoengine.checks import numbers, rounded_up
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits

from .angles import BITS, ONE, Direction, direction

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")

FAR = 1000.0
"""The largest coordinate."""
DOUBT = ONE >> 130
"""More than the error of any length below: coordinates of at most 2^11 times errors of 2^-150, and a few sums."""

_FLOOR = "basin hopping with SLSQP, 60 CPU s, the better of two seeds, benchmarks/floors.py"
RECORDS = {
    11: Anchor(value=3.92450089, source="ours: see README; ImprovEvolve 2026, arXiv:2602.10233, published 3.9245"),
    12: Anchor(value=3.94164206, source="ours: see README; ImprovEvolve 2026, arXiv:2602.10233, published 3.9416"),
}
"""The smallest sides that are known to us by number of hexagons, cut (not rounded) to 8 decimals."""
FLOORS = {
    11: Anchor(value=3.92450089756, source=_FLOOR),
    12: Anchor(value=3.94164206277, source=_FLOOR),
}


class Hexagon(NamedTuple):
    """A regular hexagon: its centre in fixed point, and its angle in degrees."""

    x: int
    y: int
    degrees: Fraction


class HexagonPacking(Problem):
    """Place n regular hexagons of side 1 without overlap in a regular hexagon of the smallest side."""

    name: ClassVar[str] = "hexagon_packing"
    goal: ClassVar[str] = (
        "Write pack(n) -> n + 1 triples (x, y, angle in degrees): n regular hexagons of side 1 that do not overlap, "
        "each with a corner in the direction of its angle, and last the centre and angle of a regular hexagon around "
        "them. Minimise that one's side, which is computed from the rest. Overlap is judged without a tolerance."
    )
    entry: ClassVar[str] = "pack"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="alignment", low=0.0, high=1.0, bins=20),
        Feature(name="centre_distance", low=0.45, high=0.65, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")

    n: Annotated[int, Field(ge=1, le=40)] = 11

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The record for this n, if it is listed."""
        return RECORDS.get(self.n)

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What basin hopping reaches in a minute."""
        return FLOORS.get(self.n)

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.n,)]

    def judge(self, outputs: list[Any]) -> Score:
        *inner, outer = self._hexagons(outputs)
        require_apart(inner)
        side = smallest_side(inner, outer)
        turns = [math.radians(6.0 * float(one.degrees % 60)) for one in inner]
        away = [math.hypot(one.x - outer.x, one.y - outer.y) / ONE for one in inner]
        return Score(
            side,
            alignment=min(1.0, math.hypot(sum(map(math.cos, turns)), sum(map(math.sin, turns))) / self.n),
            centre_distance=sum(away) / (self.n * side),
        )

    def render(self, outputs: Any) -> str:
        *inner, outer = self._hexagons(outputs)
        side = smallest_side(inner, outer)
        x, y = outer.x / ONE, outer.y / ONE
        drawing = Drawing(
            f"{self.n} hexagons of side 1 in a hexagon of side {side:.10g}",
            x=(x - side, x + side),
            y=(y - side, y + side),
        )
        drawing.polygon(_corners(outer, side), "edge")
        for one in inner:
            drawing.polygon(_corners(one, 1.0), "area")
        return drawing.svg()

    def _hexagons(self, outputs: Any) -> list[Hexagon]:
        if len(outputs) != 1:
            raise Reject(f"expected one packing, found {len(outputs)}")
        given = numbers(outputs[0], self.n + 1, 3, what="the packing")
        if (np.abs(given[:, :2]) > FAR).any():
            raise Reject(f"the packing has a coordinate beyond {FAR:.0f}; move it to the origin")
        return [Hexagon(_fixed(x), _fixed(y), Fraction(angle)) for x, y, angle in given.tolist()]


def require_apart(hexagons: list[Hexagon]) -> None:
    """Refuses unit hexagons of which two overlap, or come so near that it cannot be told (2^-130).

    Two convex shapes with a centre each are apart if and only if the normal of one's edge separates them: the
    centres' distance along it is at least the sum of how far both reach.

    Raises:
        Reject: two do.
    """
    normals = [list(_normals(one)) for one in hexagons]
    for i, j in combinations(range(len(hexagons)), 2):
        one, other = hexagons[i], hexagons[j]
        x, y = one.x - other.x, one.y - other.y
        if max(abs(x), abs(y)) > 2 * ONE + DOUBT:  # further apart than two hexagons are wide
            continue
        if not any(
            _along(x, y, way) >= _reach(one, degrees) + _reach(other, degrees) + DOUBT
            for degrees, way in (*normals[i], *normals[j])
        ):
            raise Reject(f"hexagons {i} and {j} overlap")


def smallest_side(inner: list[Hexagon], outer: Hexagon) -> float:
    """The side of the smallest hexagon with this centre and angle around unit hexagons, rounded up."""
    furthest = max(
        _along(one.x - outer.x, one.y - outer.y, way) + _reach(one, degrees)
        for degrees, way in _normals(outer)
        for one in inner
    )
    # A hexagon of side s reaches s sqrt(3) / 2 along its normals.
    return rounded_up(Fraction(2 * (furthest + DOUBT), math.isqrt(3 * ONE * ONE)))


def _normals(hexagon: Hexagon) -> Iterator[tuple[Fraction, Direction]]:
    """The directions of its edges' normals, one of each opposite pair."""
    for turn in (30, 90, 150):
        degrees = hexagon.degrees + turn
        yield degrees, direction(degrees)


def _along(x: int, y: int, way: Direction) -> int:
    """The length of a vector along a direction."""
    return abs(x * way.cosine + y * way.sine) >> BITS


def _reach(hexagon: Hexagon, degrees: Fraction) -> int:
    """How far a unit hexagon reaches from its centre in a direction: the cosine of its nearest corner's angle."""
    nearest = (degrees - hexagon.degrees + 30) % 60 - 30
    return direction(nearest).cosine


def _fixed(value: float) -> int:
    """In fixed point, within one unit."""
    numerator, denominator = value.as_integer_ratio()
    return numerator * ONE // denominator


def _corners(hexagon: Hexagon, side: float) -> Iterator[tuple[float, float]]:
    for turn in range(0, 360, 60):
        angle = math.radians(float((hexagon.degrees + turn) % 360))
        yield hexagon.x / ONE + side * math.cos(angle), hexagon.y / ONE + side * math.sin(angle)
