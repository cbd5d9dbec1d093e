"""The first autocorrelation inequality: a step function whose autoconvolution has a low peak."""

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import numbers
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")


_idiom = partial(Idiom.read, _HERE / "idioms", holes=("heights",), imports=("import numpy as np",))


class Autocorrelation(Problem):
    """Minimise `max(f * f) / (integral of f)^2` over step functions f >= 0 on an interval of length 1/2.

    The value bounds the constant C1 of Matolcsi and Vinuesa (2010, arXiv:0907.1379) from above.
    """

    name: ClassVar[str] = "autocorrelation"
    goal: ClassVar[str] = (
        "Write steps() -> N heights f[i] >= 0 (any N up to the setting `longest`) that minimise "
        "2 N max(f * f) / (sum f)^2, where f * f is the discrete autoconvolution (numpy.convolve(f, f))."
    )
    entry: ClassVar[str] = "steps"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="log2_steps", low=3.0, high=12.0, bins=18),
        Feature(name="empty_share", low=0.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    floor: ClassVar[Anchor | None] = Anchor(
        value=1.515083, source="linear programming from random starts, 40 CPU s, benchmarks/floors.py"
    )
    best_known: ClassVar[Anchor | None] = Anchor(
        value=1.5028628749, source="MLEvolve README 2026; TTT-Discover 2026 published 1.5028628983"
    )
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")
    idioms: ClassVar[tuple[Idiom, ...]] = (
        _idiom(
            "ascend",
            imports=("import numpy as np", "from scipy.optimize import linprog"),
            source="Matolcsi and Vinuesa 2010, arXiv:0907.1379: steps towards the best g with f * g <= max(f * f)",
        ),
        _idiom("refine", source="the same function on twice as many steps"),
        _idiom("jitter", source="a random start for local search"),
    )

    longest: Annotated[int, Field(ge=1, le=4000)] = 4000

    def inputs(self, stage: str = "full") -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        heights = self._heights(outputs)
        return Score(
            upper_bound(heights),
            log2_steps=math.log2(len(heights)),
            empty_share=float((heights < 0.01 * heights.max()).mean()),
        )

    def render(self, outputs: Any) -> str:
        heights = self._heights(outputs)
        heights /= heights.max()
        folded = np.convolve(heights, heights)
        drawing = Drawing(
            f"a step function on {len(heights)} steps, with the bound {upper_bound(heights):.10g}",
            x=(-0.5, 0.5), y=(0.0, 1.0), height=300.0,
            description="Filled: the function, on [-1/4, 1/4]. Line: its autoconvolution. Both are scaled to height 1.",
        )  # fmt: skip
        edges = np.linspace(-0.25, 0.25, len(heights) + 1).repeat(2).tolist()
        drawing.polygon(zip(edges, [0.0, *heights.repeat(2).tolist(), 0.0], strict=True), "area")
        places = np.linspace(-0.5, 0.5, len(folded) + 2).tolist()
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


def upper_bound(heights: npt.NDArray[Any]) -> float:
    """An upper bound of `2 N max(f * f) / (sum f)^2`, at most a relative `(N + 24) 2^-52` above it.

    For heights (N,) of at least 0, not all 0. They are first scaled by a power of two, so that no product that matters
    underflows and none overflows. Every entry of the autoconvolution is a sum of at most N products of
    numbers that are not negative: in whatever order it is added up, it is at most a factor
    `1 / (1 - N 2^-53)` too small (Higham 2002, section 3.1), and so is what underflows, by far; the sum
    of the heights is rounded once. The result is multiplied by more than all of these together.
    """
    scaled = np.ldexp(heights, -math.frexp(float(heights.max()))[1])
    count = len(scaled)
    value = 2.0 * count * float(np.convolve(scaled, scaled).max()) / math.fsum(scaled.tolist()) ** 2
    return value * (1.0 + (count + 16) * 2.0**-53)
