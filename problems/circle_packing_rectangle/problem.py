"""Circles in a rectangle of perimeter 4 with the largest sum of radii, judged in exact arithmetic."""

from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from evoengine.checks import numbers, whole
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")


_idiom = partial(
    Idiom.read,
    _HERE / "idioms",
    holes=("centers", "radii"),
    imports=("import numpy as np", "from scipy.optimize import minimize"),
)


class CirclePackingRectangle(Problem):
    """Pack n circles without overlap; maximise the sum of their radii by half the sum of their box's sides.

    That is the sum of radii once the packing is scaled so that its box has perimeter 4. Any scale may be handed over.
    """

    name: ClassVar[str] = "circle_packing_rectangle"
    goal: ClassVar[str] = (
        "Write pack(n) -> n triples (x, y, r): circles that do not overlap. Their smallest upright box, w by h, is "
        "scaled to perimeter 4: maximise 2 sum(r) / (w + h). Overlap is judged exactly, without a tolerance."
    )
    entry: ClassVar[str] = "pack"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="radius_spread", low=0.0, high=1.0, bins=25),
        Feature(name="side_ratio", low=0.3, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")
    idioms: ClassVar[tuple[Idiom, ...]] = (
        _idiom("polished", "polish", source="sequential quadratic programming (Kraft 1988, SLSQP)"),
        _idiom("polished", "hop", source="basin hopping (Wales and Doye 1997, arXiv:cond-mat/9803344)"),
    )

    n: Annotated[int, Field(ge=1, le=100)] = 21

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The record for this n, if it is listed."""
        if self.n != 21:
            return None
        return Anchor(value=2.3658323759, source="MLEvolve README 2026; AlphaEvolve 2025 published 2.3658321334")

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What basin hopping reaches in a minute."""
        if self.n != 21:
            return None
        return Anchor(value=2.36583237591, source="basin hopping, 60 CPU s, benchmarks/floors.py")

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.n,)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one packing, found {len(outputs)}")
        circles = numbers(outputs[0], self.n, 3, what="the packing")
        exact = [(whole(x), whole(y), whole(r)) for x, y, r in circles.tolist()]
        require_apart(exact)
        total = sum(r for _, _, r in exact)
        width, height = (
            max(one[axis] + one[2] for one in exact) - min(one[axis] - one[2] for one in exact) for axis in (0, 1)
        )
        if total == 0:
            raise Reject("all radii are 0")
        radii = np.array([r / total for _, _, r in exact])
        return Score(
            2 * total / (width + height),
            radius_spread=float(radii.std() / radii.mean()),
            side_ratio=min(width, height) / max(width, height),
        )

    def render(self, outputs: Any) -> str:
        value = self.judge(outputs).value
        circles = numbers(outputs[0], self.n, 3, what="the packing")
        circles /= np.abs(circles).max()
        (x, y, r) = circles.T
        left, right, low, high = (x - r).min(), (x + r).max(), (y - r).min(), (y + r).max()
        drawing = Drawing(
            f"{self.n} circles in a rectangle of perimeter 4, sum of radii {value:.10g}", x=(left, right), y=(low, high)
        )
        drawing.rectangle(left, low, right - left, high - low, "edge")
        for one in circles.tolist():
            drawing.circle(*one)
        return drawing.svg()


def require_apart(circles: list[tuple[int, int, int]]) -> None:
    """Refuses circles, in integers, that have a negative radius or overlap; touching is allowed.

    Raises:
        Reject: one has, or two do.
    """
    for i, (_, _, r) in enumerate(circles):
        if r < 0:
            raise Reject(f"circle {i} has a negative radius")
    for (i, (x, y, r)), (j, (u, v, s)) in combinations(enumerate(circles), 2):
        if (x - u) ** 2 + (y - v) ** 2 < (r + s) ** 2:
            raise Reject(f"circles {i} and {j} overlap")
