"""Erdos's minimum overlap: a step function that overlaps little with its complement, however that is moved."""

import math
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import numbers, whole
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")


class ErdosMinimumOverlap(Problem):
    """Minimise the largest overlap of h: [0, 2] -> [0, 1] with integral 1 and a moved 1 - h, over step functions.

    The value bounds Erdos's constant from above (Haugland 1996, 2016, arXiv:1609.08000): the limit of M(n) / n, where
    M(n) is how often some difference a - b must occur if 1, ..., 2n is divided into two halves, a from
    the one and b from the other.
    """

    name: ClassVar[str] = "erdos_minimum_overlap"
    goal: ClassVar[str] = (
        "Write steps() -> N heights 0 <= h[i] <= 1 (any N up to the setting `longest`) with mean 1/2 that minimise "
        "max(numpy.correlate(h, 1 - h, 'full')) 2 / N. If the mean is above 1/2, all heights are scaled down until it "
        "is; if it is below, then 1 - h is."
    )
    entry: ClassVar[str] = "steps"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="log2_steps", low=3.0, high=12.0, bins=18),
        Feature(name="settled_share", low=0.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    floor: ClassVar[Anchor | None] = Anchor(
        value=0.381164, source="sequential linear programs, 40 CPU s, benchmarks/floors.py"
    )
    best_known: ClassVar[Anchor | None] = Anchor(
        value=0.3808676758,
        source="SimpleTES 2026, arXiv:2604.19341, recomputed to 8 digits; TTT-Discover 2026 published 0.3808753232",
    )
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")

    longest: Annotated[int, Field(ge=1, le=4000)] = 4000

    def inputs(self, stage: str = "full") -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        heights = self._heights(outputs)
        return Score(
            upper_bound(heights),
            log2_steps=math.log2(len(heights)),
            settled_share=float(((heights < 0.01) | (heights > 0.99)).mean()),
        )

    def render(self, outputs: Any) -> str:
        heights = self._heights(outputs)
        drawing = Drawing(
            f"a step function on {len(heights)} steps, with the bound {upper_bound(heights):.10g}",
            x=(-2.0, 2.0), y=(0.0, 1.0), height=300.0,
            description="Filled: the function, on [0, 2]. Line: its overlap with its complement, by the move.",
        )  # fmt: skip
        edges = np.linspace(0.0, 2.0, len(heights) + 1).repeat(2).tolist()
        drawing.polygon(zip(edges, [0.0, *heights.repeat(2).tolist(), 0.0], strict=True), "area")
        overlap = np.correlate(heights, 1.0 - heights, "full") * 2.0 / len(heights)
        drawing.line(zip(np.linspace(-2.0, 2.0, len(overlap) + 2), [0.0, *overlap.tolist(), 0.0], strict=True), "edge")
        return drawing.svg()

    def _heights(self, outputs: Any) -> npt.NDArray[Any]:
        if len(outputs) != 1:
            raise Reject(f"expected one list of heights, found {len(outputs)}")
        heights = numbers(outputs[0], None, longest=self.longest, what="the heights")
        wrong = (heights < 0) | (heights > 1)
        if wrong.any():
            raise Reject(f"height {int(np.argmax(wrong))} is not between 0 and 1")
        return heights


def upper_bound(heights: npt.NDArray[Any]) -> float:
    """An upper bound of the largest overlap of heights (N,) scaled to have mean 1/2, close above it.

    The larger of h and its complement by sum, say p, is scaled by c = N / (2 sum p), in rationals, so that c p and
    1 - c p are a pair as the problem asks for; moves in both directions are looked at, so it does not matter which of
    the two is moved. Rounding, with u = 2^-53: c is between 1/2 and 1 and within u, 1 - h within u, and so c p within
    3 u and 1 - c p within 4 u. Each of N products is at most 7 u too small for this, and their sum is within a
    factor 1 - (N + 1) u of the truth; times 2 / N that is 14 u, and (N + 1) u of it.
    """
    count, one = len(heights), whole(1.0)
    total = sum(map(whole, heights.tolist()))
    more = 2 * total >= count * one
    larger = heights if more else 1.0 - heights
    scale = count * one / (2 * (total if more else count * one - total))
    part = scale * larger
    peak = float(np.correlate(part, np.maximum(1.0 - part, 0.0), "full").max()) * 2.0 / count
    return peak * (1.0 + (count + 16) * 2.0**-53) + 16 * 2.0**-53
