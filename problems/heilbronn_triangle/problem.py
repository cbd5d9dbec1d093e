"""Heilbronn's problem in a triangle: points of which no three span a small triangle, judged exactly."""

from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import UNIT, numbers, whole
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")

_MATHWORLD = "Weisstein, MathWorld: Heilbronn Triangle Problem"
RECORDS = {
    3: Anchor(value=1.0, source="the triangle's own corners"),
    4: Anchor(value=1 / 3, source="the corners and the centroid"),
    5: Anchor(value=3 - 2 * 2**0.5, source=_MATHWORLD),
    6: Anchor(value=1 / 8, source=_MATHWORLD),
    7: Anchor(value=7 / 72, source=_MATHWORLD),
    11: Anchor(value=0.036529889880, source="AlphaEvolve 2025, arXiv:2506.13131, B.9; recomputed from its points"),
}
"""The largest known smallest areas by number of points, as shares of the triangle's area."""


_idiom = partial(
    Idiom.read,
    _HERE / "idioms",
    holes=("points",),
    imports=("import numpy as np", "from scipy.optimize import minimize"),
)


class HeilbronnTriangle(Problem):
    """Place n points in a triangle; maximise the area of the smallest triangle that three of them span.

    The container is the triangle (0, 0), (1, 0), (0, 1). Areas are shares of its area, so that the value
    is the same as for a triangle of unit area, or any other: affine maps keep it.
    """

    name: ClassVar[str] = "heilbronn_triangle"
    goal: ClassVar[str] = (
        "Write place(n) -> n points (x, y) with x >= 0, y >= 0, x + y <= 1, such that the smallest triangle spanned "
        "by three of them is as large as possible. The value is its area divided by that of the whole triangle."
    )
    entry: ClassVar[str] = "place"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="mean_area", low=0.05, high=0.25, bins=20),
        Feature(name="edge_distance", low=0.0, high=0.2, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")
    idioms: ClassVar[tuple[Idiom, ...]] = (
        _idiom("polished", "polish", source="max-min by quadratic programming (Kraft 1988, SLSQP)"),
        _idiom("polished", "hop", source="basin hopping (Wales and Doye 1997, arXiv:cond-mat/9803344)"),
    )

    n: Annotated[int, Field(ge=3, le=40)] = 11

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The record for this n, if it is listed."""
        return RECORDS.get(self.n)

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What basin hopping reaches in forty seconds."""
        if self.n != 11:
            return None
        return Anchor(value=0.03652988988, source="basin hopping, 40 CPU s, benchmarks/floors.py")

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.n,)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one list of points, found {len(outputs)}")
        points = numbers(outputs[0], self.n, 2, what="the points")
        require_inside(points)
        triples = np.array(list(combinations(range(self.n), 3)))
        areas = np.abs(_twice_area(*points[triples].transpose(1, 2, 0)))
        corners = np.column_stack([points, 1.0 - points.sum(axis=1)])
        return Score(
            smallest(points, triples, areas),
            mean_area=float(areas.mean()),
            edge_distance=float(corners.min(axis=1).mean()),
        )

    def render(self, outputs: Any) -> str:
        points = numbers(outputs[0], self.n, 2, what="the points")
        triples = np.array(list(combinations(range(self.n), 3)))
        areas = np.abs(_twice_area(*points[triples].transpose(1, 2, 0)))
        drawing = Drawing(
            f"{self.n} points in a triangle; the smallest triangle that three of them span has {areas.min():.8g} of it",
            description="The smallest triangle, or one of several, is filled.",
        )
        drawing.polygon([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
        drawing.polygon(points[triples[areas.argmin()]].tolist(), "mark")
        for x, y in points.tolist():
            drawing.dot(x, y, "area")
        return drawing.svg()


def require_inside(points: npt.NDArray[Any]) -> None:
    """Refuses points (n, 2) outside the triangle. Exact: only a sum that rounds to 1 can hide a larger one.

    Raises:
        Reject: a point is.
    """
    total = points.sum(axis=1)
    wrong = (points < 0).any(axis=1) | (total > 1)
    for i in np.flatnonzero(total == 1):
        wrong[i] |= sum(map(whole, points[i].tolist())) > UNIT
    if wrong.any():
        raise Reject(f"point {int(np.argmax(wrong))} is not inside the triangle (0, 0), (1, 0), (0, 1)")


def smallest(points: npt.NDArray[Any], triples: npt.NDArray[Any], areas: npt.NDArray[Any]) -> float:
    """The smallest of the areas of `triples` (T, 3) of `points` (n, 2), rounded once.

    `areas` (T,) are those in float64: differences and products of numbers up to 1, wrong by less than
    1e-15. Whatever could be the smallest within that error is computed in integers.
    """
    exact = [
        abs(_twice_area(*(tuple(map(whole, points[k].tolist())) for k in triples[place])))
        for place in np.flatnonzero(areas <= areas.min() + 4e-15)
    ]
    return float(min(exact) / UNIT**2)


def _twice_area(a: Any, b: Any, c: Any) -> Any:
    return (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
