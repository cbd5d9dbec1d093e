"""Circles in the unit square with the largest sum of radii, judged in exact arithmetic."""

import math
from functools import partial
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

RECORDS = {
    1: 0.5,
    20: 2.301122834497,
    21: 2.362117319374,
    22: 2.420202649747,
    23: 2.478013611963,
    24: 2.530311586971,
    25: 2.587275055266,
    26: 2.635983084918,
    27: 2.685978684198,
    28: 2.737739985536,
    29: 2.790344154631,
    30: 2.842668747462,
    31: 2.889969851933,
    32: 2.939572771205,
    33: 2.987285008591,
    34: 3.029799271188,
    35: 3.074036363728,
    36: 3.121754486102,
    40: 3.292391572609,
    45: 3.503095055216,
    50: 3.686474098753,
    60: 4.057375010904,
    80: 4.690798042719,
    100: 5.261573443983,
}
"""The largest known sums by number of circles, cut (not rounded) to 12 decimals."""


_idiom = partial(Idiom.read, _HERE / "idioms", holes=("centers", "radii"))


class CirclePacking(Problem):
    """Place n circles without overlap in the unit square; maximise the sum of their radii."""

    name: ClassVar[str] = "circle_packing"
    goal: ClassVar[str] = (
        "Write pack(n) -> n triples (x, y, r): circles inside the unit square that do not overlap, with the largest "
        "sum of radii. Overlap is judged exactly, without a tolerance."
    )
    entry: ClassVar[str] = "pack"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="radius_spread", low=0.0, high=1.0, bins=25),
        Feature(name="centre_distance", low=0.34, high=0.46, bins=24),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")
    idioms: ClassVar[tuple[Idiom, ...]] = (
        _idiom("grow_radii", imports=("import numpy as np",), source="coordinate ascent, one radius at a time"),
        _idiom(
            "best_radii",
            imports=("import numpy as np", "from scipy.optimize import linprog"),
            source="for fixed centres the best radii are a linear program",
        ),
        _idiom(
            "polished",
            "polish",
            imports=("import numpy as np", "from scipy.optimize import minimize"),
            source="sequential quadratic programming on centres and radii (Kraft 1988, SLSQP)",
        ),
        _idiom(
            "polished",
            "hop",
            imports=("import numpy as np", "from scipy.optimize import minimize"),
            source="basin hopping (Wales and Doye 1997, arXiv:cond-mat/9803344)",
        ),
    )

    n: Annotated[int, Field(ge=1, le=2000)] = 26

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The record for this n, if it is listed."""
        if self.n not in RECORDS:
            return None
        source = "half the side: a single circle" if self.n == 1 else "Packomania, csqv: circles in the unit square"
        return Anchor(value=RECORDS[self.n], source=source)

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What multi-start SLSQP reaches in a minute."""
        if self.n != 26:
            return None
        return Anchor(value=2.625658, source="269 random starts of SLSQP, 60 CPU s, benchmarks/floors.py")

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.n,)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one packing, found {len(outputs)}")
        circles = numbers(outputs[0], self.n, 3, what="the packing")
        require_inside(circles)
        require_apart(circles)
        radii = circles[:, 2]
        mean = float(radii.mean())
        return Score(
            math.fsum(radii.tolist()),
            radius_spread=float(radii.std()) / mean if mean > 0 else 0.0,
            centre_distance=float(np.hypot(circles[:, 0] - 0.5, circles[:, 1] - 0.5).mean()),
        )

    def render(self, outputs: Any) -> str:
        circles = numbers(outputs[0], self.n, 3, what="the packing").tolist()
        drawing = Drawing(f"{self.n} circles in the unit square, sum of radii {math.fsum(r for *_, r in circles):.10g}")
        drawing.rectangle(0.0, 0.0, 1.0, 1.0, "edge")
        for x, y, radius in circles:
            drawing.circle(x, y, radius)
        return drawing.svg()


def require_inside(circles: npt.NDArray[Any]) -> None:
    """Refuses circles (n, 3) that leave the unit square or have a negative radius.

    Exact: rounding to nearest is monotone, so a rounded sum on one side of 1 proves the exact sum to be
    there too; only a sum that rounds to 1 itself is looked at in integers.

    Raises:
        Reject: a circle does.
    """
    centres, radii = circles[:, :2], circles[:, 2]
    reach = centres + radii[:, None]
    wrong = (radii < 0) | (centres < radii[:, None]).any(axis=1) | (reach > 1).any(axis=1)
    for i in np.flatnonzero((reach == 1).any(axis=1)):
        x, y, r = map(whole, circles[i].tolist())
        wrong[i] |= max(x, y) + r > UNIT
    if wrong.any():
        raise Reject(f"circle {int(np.argmax(wrong))} is not inside the unit square, or has a negative radius")


def require_apart(circles: npt.NDArray[Any]) -> None:
    """Refuses circles (n, 3), inside the unit square, of which two overlap; touching is allowed.

    Exact: a pair whose float64 gap `d^2 - (ri + rj)^2` is further from zero than its rounding error can
    reach is decided by its sign, every other pair in integers. With unit roundoff u = 2^-53 the squares
    are within a factor (1 + u)^4 of the truth, so the gap is wrong by less than 5u times their sum
    (and by less than 1e-300 where a product underflows).

    Raises:
        Reject: two circles do.
    """
    x, y, r = circles.T
    i, j = np.triu_indices(len(r), 1)
    apart = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2
    needed = (r[i] + r[j]) ** 2
    gap = apart - needed
    doubt = 1e-15 * (apart + needed) + 1e-300
    overlapping = gap < -doubt
    for pair in np.flatnonzero(np.abs(gap) <= doubt):
        (xi, yi, ri), (xj, yj, rj) = (map(whole, circles[k].tolist()) for k in (i[pair], j[pair]))
        overlapping[pair] = (xi - xj) ** 2 + (yi - yj) ** 2 < (ri + rj) ** 2
    if overlapping.any():
        first = int(np.argmax(overlapping))
        raise Reject(f"circles {int(i[first])} and {int(j[first])} overlap")
