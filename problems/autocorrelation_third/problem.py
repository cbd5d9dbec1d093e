"""The third autocorrelation inequality: a step function of both signs whose autoconvolution has a low peak."""

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

RECORDS = {
    False: Anchor(
        value=1.4536754656,
        source="SimpleTES 2026, arXiv:2604.19341, recomputed; AlphaEvolve 2025 published 1.4556427954",
    ),
    True: Anchor(
        value=1.4536754656, source="SimpleTES 2026, the same heights, recomputed; MLEvolve README 2026: 1.4587698922"
    ),
}
"""The smallest known bounds, without and with the absolute value."""
FLOORS = {
    False: Anchor(value=1.472074, source="sequential linear programs, 40 CPU s, benchmarks/floors.py"),
    True: Anchor(value=1.473371, source="sequential linear programs, 40 CPU s, benchmarks/floors.py"),
}


class AutocorrelationThird(Problem):
    """Minimise `max(f * f) / (integral of f)^2` over step functions of both signs on an interval of length 1/2.

    The value bounds a constant of Vinuesa (2009) from above; with `absolute`, the largest absolute value of
    f * f takes the place of its largest value, which is what the inequality is stated with in AlphaEvolve (2025).
    """

    name: ClassVar[str] = "autocorrelation_third"
    goal: ClassVar[str] = (
        "Write steps() -> N heights f[i] of any sign (any N up to the setting `longest`), not summing to 0, that "
        "minimise 2 N max(f * f) / (sum f)^2, where f * f is the discrete autoconvolution (numpy.convolve(f, f)); "
        "with the setting `absolute`, 2 N max |f * f| / (sum f)^2."
    )
    entry: ClassVar[str] = "steps"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="log2_steps", low=3.0, high=12.0, bins=18),
        Feature(name="negative_share", low=0.0, high=0.5, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")

    longest: Annotated[int, Field(ge=1, le=4000)] = 4000
    absolute: bool = False

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The record for this form of the inequality."""
        return RECORDS[self.absolute]

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What linear programming reaches in forty seconds."""
        return FLOORS.get(self.absolute)

    def inputs(self, stage: str = "full") -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        heights = self._heights(outputs)
        return Score(
            upper_bound(heights, self.absolute),
            log2_steps=math.log2(len(heights)),
            negative_share=float((heights < 0).mean()),
        )

    def render(self, outputs: Any) -> str:
        heights = self._heights(outputs)
        value = upper_bound(heights, self.absolute)
        heights /= np.abs(heights).max()
        folded = np.convolve(heights, heights)
        folded /= np.abs(folded).max()
        drawing = Drawing(
            f"a step function on {len(heights)} steps, with the bound {value:.10g}",
            x=(-0.5, 0.5), y=(min(heights.min(), folded.min(), 0.0), 1.0), height=300.0,
            description="Filled: the function, on [-1/4, 1/4]. Line: its autoconvolution. Both are scaled to height 1.",
        )  # fmt: skip
        edges = np.linspace(-0.25, 0.25, len(heights) + 1).repeat(2).tolist()
        drawing.polygon(zip(edges, [0.0, *heights.repeat(2).tolist(), 0.0], strict=True), "area")
        places = np.linspace(-0.5, 0.5, len(folded) + 2).tolist()
        drawing.line(zip(places, [0.0, *folded.tolist(), 0.0], strict=True), "edge")
        return drawing.svg()

    def _heights(self, outputs: Any) -> npt.NDArray[Any]:
        if len(outputs) != 1:
            raise Reject(f"expected one list of heights, found {len(outputs)}")
        return numbers(outputs[0], None, longest=self.longest, what="the heights")


def upper_bound(heights: npt.NDArray[Any], absolute: bool) -> float:
    """An upper bound of `2 N max(f * f) / (sum f)^2`, or of that with `max |f * f|`, close above it.

    Heights (N,) are scaled by a power of two first, so that the largest is between 1/2 and 1. An entry of f * f is a
    sum of at most N products, computed with an error of at most (N + 1) 2^-53 times the sum of their
    absolute values (Higham 2002, section 3.1), which is at most an entry of |f| * |f|; what underflows is far
    below that, because an entry of |f| * |f| is at least 1/4. The sum of the heights is rounded once.

    Raises:
        Reject: the heights sum to 0, or to so little that there is no bound in float64.
    """
    top = float(np.abs(heights).max())
    scaled = np.ldexp(heights, -math.frexp(top)[1])
    count, total = len(scaled), math.fsum(scaled.tolist())
    if abs(total) < 1e-100:
        raise Reject("the heights sum to 0, or nearly so")
    folded, size = np.convolve(scaled, scaled), np.convolve(np.abs(scaled), np.abs(scaled))
    peak = float((np.abs(folded) if absolute else folded).max()) + (count + 16) * 2.0**-53 * float(size.max())
    return 2.0 * count * peak / total**2 * (1.0 + 2.0**-48)
