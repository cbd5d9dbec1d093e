"""The second autocorrelation inequality: a step function whose autoconvolution is flat at its top."""

import math
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import numbers
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")


class AutocorrelationSecond(Problem):
    """Maximise `|f * f|_2^2 / (|f * f|_1 |f * f|_inf)` over step functions f >= 0.

    The value bounds from below the constant C2 of Matolcsi and Vinuesa (2010, arXiv:0907.1379, section 3), which
    is at most 1.
    """

    name: ClassVar[str] = "autocorrelation_second"
    goal: ClassVar[str] = (
        "Write steps() -> N heights f[i] >= 0 (any N up to the setting `longest`) of a step function whose "
        "autoconvolution g is as flat as can be: maximise |g|_2^2 / (|g|_1 |g|_inf). g is linear between 0, the "
        "entries of numpy.convolve(f, f), and 0."
    )
    entry: ClassVar[str] = "steps"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="log2_steps", low=3.0, high=12.0, bins=18),
        Feature(name="empty_share", low=0.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    floor: ClassVar[Anchor | None] = Anchor(value=0.918280, source="L-BFGS, 40 CPU s, benchmarks/floors.py")
    best_known: ClassVar[Anchor | None] = Anchor(
        value=0.962694,
        source="SimpleTES 2026, of some 250000 steps; TTT-Discover 2026 published 0.9591797711, of 50000 steps",
    )
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")

    longest: Annotated[int, Field(ge=1, le=4000)] = 4000

    def inputs(self, stage: str = "full") -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        heights = self._heights(outputs)
        return Score(
            lower_bound(heights),
            log2_steps=math.log2(len(heights)),
            empty_share=float((heights < 0.01 * heights.max()).mean()),
        )

    def render(self, outputs: Any) -> str:
        heights = self._heights(outputs)
        value = lower_bound(heights)
        heights /= heights.max()
        folded = np.convolve(heights, heights)
        drawing = Drawing(
            f"a step function on {len(heights)} steps, with the bound {value:.10g}",
            x=(0.0, 2.0), y=(0.0, 1.0), height=300.0,
            description="Filled: the function. Line: its autoconvolution. Both are scaled to height 1.",
        )  # fmt: skip
        edges = np.linspace(0.0, 1.0, len(heights) + 1).repeat(2).tolist()
        drawing.polygon(zip(edges, [0.0, *heights.repeat(2).tolist(), 0.0], strict=True), "area")
        places = np.linspace(0.0, 2.0, len(folded) + 2).tolist()
        drawing.line(zip(places, [0.0, *(folded / folded.max()).tolist(), 0.0], strict=True), "edge")
        return drawing.svg()

    def _heights(self, outputs: Any) -> npt.NDArray[Any]:
        if len(outputs) != 1:
            raise Reject(f"expected one list of heights, found {len(outputs)}")
        heights = numbers(outputs[0], None, longest=self.longest, what="the heights")
        if (heights < 0).any():
            raise Reject(f"height {int(np.argmax(heights < 0))} is negative")
        if not heights.any():
            raise Reject("all heights are 0")
        return heights


def lower_bound(heights: npt.NDArray[Any]) -> float:
    """A lower bound of the ratio, at most a relative `(6 N + 40) 2^-53` below it.

    For heights (N,) of at least 0, not all 0, scaled by a power of two first. With steps of width 1, g is linear
    between integers and a, b at the ends of one: its integral over it is (a + b) / 2, that of its square
    (a^2 + a b + b^2) / 3, its integral over all is the square of the sum of heights.

    Rounding. An entry of g is a sum of at most N products of numbers that are not negative, within a
    factor (1 - u)^(N + 1) and its inverse of the truth, u = 2^-53 (Higham 2002, section 3.1). What underflows
    is below 2^-1074 N of entries whose largest is at least 1/4. The numerator holds squares of entries: 2 N + 2; it
    is added up exactly and rounded once, its terms with 5 roundings each. The denominator's largest entry: N + 1;
    the sum of heights is rounded once and squared. Together these are less than 3 N + 16 roundings.
    """
    scaled = np.ldexp(heights, -math.frexp(float(heights.max()))[1])
    folded = np.concatenate([[0.0], np.convolve(scaled, scaled), [0.0]])
    left, right = folded[:-1], folded[1:]
    square = math.fsum((left * left + left * right + right * right).tolist()) / 3.0
    value = square / (math.fsum(scaled.tolist()) ** 2 * float(folded.max()))
    return value * (1.0 - (3 * len(scaled) + 20) * 2.0**-53)
