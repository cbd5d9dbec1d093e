"""Points of which the furthest two are not much further apart than the nearest two, judged exactly."""

import math
from collections.abc import Iterator
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import numbers, whole
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")

RECORDS = {
    (16, 2): Anchor(value=12.889229907, source="SLSQP without a language model; AlphaEvolve 2025: 12.889266112"),
    (14, 3): Anchor(value=4.165783474, source="SLSQP without a language model; AlphaEvolve 2025: 4.165849767"),
}
"""The smallest known squared ratios by number of points and dimension, cut (not rounded) to 9 decimals."""
FLOORS = {
    (16, 2): Anchor(value=12.8892299077, source="798 random starts of SLSQP, 20 CPU s, benchmarks/floors.py"),
    (14, 3): Anchor(value=4.16578347458, source="1073 random starts of SLSQP, 20 CPU s, benchmarks/floors.py"),
}


_idiom = partial(
    Idiom.read,
    _HERE / "idioms",
    holes=("points",),
    imports=("import numpy as np", "from scipy.optimize import minimize"),
)


class MaxMinRatio(Problem):
    """Place n points in d dimensions; minimise the squared ratio of their largest and smallest distance."""

    name: ClassVar[str] = "max_min_ratio"
    goal: ClassVar[str] = (
        "Write place(n, d) -> n different points with d coordinates each that minimise the square of the largest "
        "distance of two points divided by the square of the smallest. Moving, turning and scaling change nothing."
    )
    entry: ClassVar[str] = "place"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="mean_distance", low=0.4, high=0.8, bins=20),
        Feature(name="near_share", low=0.0, high=0.5, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")
    idioms: ClassVar[tuple[Idiom, ...]] = (
        _idiom("polished", "polish", source="sequential quadratic programming (Kraft 1988, SLSQP)"),
        _idiom("polished", "hop", source="basin hopping (Wales and Doye 1997, arXiv:cond-mat/9803344)"),
    )

    n: Annotated[int, Field(ge=3, le=40)] = 16
    d: Annotated[int, Field(ge=2, le=8)] = 2

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on settings
        """The record for this n and d, if it is listed."""
        return RECORDS.get((self.n, self.d))

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on settings
        """What SLSQP reaches in twenty seconds."""
        return FLOORS.get((self.n, self.d))

    def inputs(self, stage: str = "full") -> list[tuple[int, int]]:
        return [(self.n, self.d)]

    def judge(self, outputs: list[Any]) -> Score:
        points = self._points(outputs)
        value = ratio(points)
        distances = _distances(points)
        return Score(
            value,
            mean_distance=float(distances.mean()),
            near_share=float((distances < 1.001 * distances.min()).mean()),
        )

    def render(self, outputs: Any) -> str:
        points = self._points(outputs)
        distances = _distances(points)
        points = _unit(points)[:, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        middle, half = (low + high) / 2, 0.55 * max(float((high - low).max()), 1e-3)
        drawing = Drawing(
            f"{self.n} points in {self.d} dimensions, squared ratio of distances {ratio(self._points(outputs)):.10g}",
            x=(middle[0] - half, middle[0] + half),
            y=(middle[1] - half, middle[1] + half),
            description="Thick: the smallest distances. Thin: the largest ones. Two dimensions are shown.",
        )
        for (i, j), distance in zip(combinations(range(self.n), 2), distances, strict=True):
            if distance < 1.001 * distances.min() or distance > 0.999:
                ends = points[[i, j]].tolist()
                drawing.line(((x, y) for x, y in ends), "soft" if distance > 0.999 else "edge")
        for x, y in points.tolist():
            drawing.dot(x, y, "area")
        return drawing.svg()

    def _points(self, outputs: Any) -> npt.NDArray[Any]:
        if len(outputs) != 1:
            raise Reject(f"expected one list of points, found {len(outputs)}")
        return numbers(outputs[0], self.n, self.d, what="the points")


def ratio(points: npt.NDArray[Any]) -> float:
    """The squared ratio of the largest and the smallest distance of points (n, d), in integers, rounded once.

    Raises:
        Reject: two points are the same, or the ratio is too large for float64.
    """
    squares = list(_squares(points))
    if min(squares) == 0:
        i, j = list(combinations(range(len(points)), 2))[squares.index(0)]
        raise Reject(f"points {i} and {j} are the same")
    try:
        return max(squares) / min(squares)
    except OverflowError:
        raise Reject("the ratio of the largest and the smallest distance is too large for float64") from None


def _squares(points: npt.NDArray[Any]) -> Iterator[int]:
    """The squared distances of all pairs."""
    exact = [tuple(map(whole, point)) for point in points.tolist()]
    for one, other in combinations(exact, 2):
        yield sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _unit(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Scaled by a power of two, so that no coordinate is above 1 and nothing overflows."""
    scaled: npt.NDArray[Any] = np.ldexp(points, -math.frexp(float(np.abs(points).max()))[1])
    return scaled


def _distances(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Of all pairs, as shares of the largest: for features and pictures only."""
    scaled = _unit(points)
    i, j = np.triu_indices(len(points), 1)
    distances: npt.NDArray[Any] = np.sqrt(((scaled[i] - scaled[j]) ** 2).sum(axis=1))
    distances /= max(float(distances.max()), 1e-300)
    return distances
