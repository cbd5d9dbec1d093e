"""Heilbronn's problem for convex regions: points of which no three span a small triangle, judged exactly."""

from collections.abc import Sequence
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import Field

from evoengine.checks import numbers, whole
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")

Point: TypeAlias = tuple[int, int]
"""In units of the smallest float64."""

RECORDS = {
    13: Anchor(value=0.0309372079, source="MLEvolve README 2026; AlphaEvolve 2025 published 0.030936889035"),
    14: Anchor(value=0.0278355805, source="EinsteinArena 2026; AlphaEvolve 2025 published 0.027835571458"),
}
"""The largest known smallest areas by number of points, as shares of the hull's area, cut to 10 decimals."""
FLOORS = {
    13: Anchor(value=0.0305702041, source="basin hopping, 40 CPU s, the better of two seeds, benchmarks/floors.py"),
    14: Anchor(value=0.0265490721, source="basin hopping, 40 CPU s, the better of two seeds, benchmarks/floors.py"),
}


_idiom = partial(
    Idiom.read,
    _HERE / "idioms",
    holes=("points",),
    imports=("import numpy as np", "from scipy.optimize import minimize"),
)


class HeilbronnConvex(Problem):
    """Place n points; maximise the smallest triangle that three of them span, as a share of their convex hull."""

    name: ClassVar[str] = "heilbronn_convex"
    goal: ClassVar[str] = (
        "Write place(n) -> n points (x, y) that maximise the area of the smallest triangle spanned by three of them, "
        "divided by the area of the convex hull of all of them. Affine maps of the points change nothing."
    )
    entry: ClassVar[str] = "place"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="mean_area", low=0.05, high=0.25, bins=20),
        Feature(name="hull_corners", low=3.0, high=15.0, bins=12),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")
    idioms: ClassVar[tuple[Idiom, ...]] = (
        _idiom("polished", "polish", source="max-min by quadratic programming (Kraft 1988, SLSQP)"),
        _idiom("polished", "hop", source="basin hopping (Wales and Doye 1997, arXiv:cond-mat/9803344)"),
    )

    n: Annotated[int, Field(ge=3, le=24)] = 13

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The record for this n, if it is listed."""
        return RECORDS.get(self.n)

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What basin hopping reaches in forty seconds."""
        return FLOORS.get(self.n)

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.n,)]

    def judge(self, outputs: list[Any]) -> Score:
        points = self._points(outputs)
        corners = hull(points)
        # Of a polygon with corner 0 as the top of a fan of triangles: twice its area, exactly.
        total = sum(turn(corners[0], b, c) for b, c in pairwise(corners[1:]))
        if total == 0:
            raise Reject("all points are on one line")
        areas = [abs(turn(*three)) for three in combinations(points, 3)]
        return Score(
            min(areas) / total,
            mean_area=sum(areas) / (len(areas) * total),
            hull_corners=float(len(corners)),
        )

    def render(self, outputs: Any) -> str:
        value = self.judge(outputs).value
        exact = self._points(outputs)
        points = np.array(numbers(outputs[0], self.n, 2, what="the points"))
        points /= np.abs(points).max()
        low, high = points.min(axis=0), points.max(axis=0)
        drawing = Drawing(
            f"{self.n} points; the smallest triangle that three of them span has {value:.8g} of their convex hull",
            x=(low[0], high[0]),
            y=(low[1], high[1]),
            height=480.0,
            description="The smallest triangle, or one of several, is filled. Both axes are stretched to fit.",
        )
        places = dict(zip(exact, points.tolist(), strict=True))
        drawing.polygon(tuple(places[corner]) for corner in hull(exact))
        least = min(combinations(exact, 3), key=lambda three: abs(turn(*three)))
        drawing.polygon((tuple(places[corner]) for corner in least), "mark")
        for x, y in points.tolist():
            drawing.dot(x, y, "area")
        return drawing.svg()

    def _points(self, outputs: Any) -> list[Point]:
        if len(outputs) != 1:
            raise Reject(f"expected one list of points, found {len(outputs)}")
        return [(whole(x), whole(y)) for x, y in numbers(outputs[0], self.n, 2, what="the points").tolist()]


def turn(a: Point, b: Point, c: Point) -> int:
    """Twice the area of a triangle, positive where a, b, c turn left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])


def hull(points: Sequence[Point]) -> list[Point]:
    """The corners of the convex hull, anticlockwise (monotone chain, Andrew 1979)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    halves: list[list[Point]] = []
    for way in (ordered, ordered[::-1]):
        half: list[Point] = []
        for point in way:
            while len(half) > 1 and turn(half[-2], half[-1], point) <= 0:
                half.pop()
            half.append(point)
        halves.append(half[:-1])
    return halves[0] + halves[1]
