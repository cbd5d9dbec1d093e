"""An uncertainty principle for signs: a function that is its own Fourier transform and positive from early on."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from evoengine.checks import numbers, rounded_up, whole
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits

from .polynomials import Polynomial, polynomial, sign_changes

_HERE = Path(__file__).parent
_SEED = (_HERE / "seed.py").read_text(encoding="utf-8")

SMALLEST, LARGEST = 1e-60, 1e30
"""What a coefficient that is not 0 has to be between: for exact arithmetic in a known time."""
_PI = Fraction(31415926535897932384626433832795028841, 10**37)
"""A little below pi."""

RECORDS = {
    3: Anchor(value=0.3520991044, source="AlphaEvolve 2025, arXiv:2506.13131, B.4, recomputed; CMA-ES reaches it too"),
    7: Anchor(
        value=0.3482001067,
        source="ours, by linear programming; Gideoni, Risi and Gal 2026, arXiv:2602.16805, published 0.3482",
    ),
}
"""The smallest known bounds by number of free coefficients."""
FLOORS = {
    3: Anchor(value=0.3520991044160, source="9 random starts of CMA-ES, 20 CPU s, benchmarks/floors.py"),
    7: Anchor(value=0.348200108819, source="linear programmes with bisection, 5 CPU s, benchmarks/floors.py"),
}


class Uncertainty(Problem):
    """Minimise A(f)^2 over f(x) = P(x sqrt(2 pi)) exp(-pi x^2), P a sum of Hermite polynomials of degrees 0, 4, 8 ...

    Such an f is its own Fourier transform. A(f) is the least A so that f(x) >= 0 for all |x| >= A, where f(0) = 0. The
    value bounds the constant of Bourgain, Clozel and Kahane (2010) from above, as Goncalves, Oliveira e Silva and
    Steinerberger do (2017, arXiv:1602.03366).
    """

    name: ClassVar[str] = "uncertainty"
    goal: ClassVar[str] = (
        "Write coefficients(k) -> k numbers c[0], ..., c[k-1]: the coefficients of the physicists' Hermite polynomials "
        "of degrees 0, 4, ..., 4 (k - 1). That of degree 4 k is added so that the sum P is 0 at 0. Minimise x^2/2pi, "
        "where x is the last positive number at which P changes its sign. It is found exactly: two roots that nearly "
        "coincide are two changes of sign, none is none."
    )
    entry: ClassVar[str] = "coefficients"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = _SEED
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="sign_changes", low=0.5, high=20.5, bins=20),
        Feature(name="last_share", low=0.0, high=0.5, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    preload: ClassVar[tuple[str, ...]] = ("numpy", "scipy.optimize")

    k: Annotated[int, Field(ge=1, le=10)] = 3

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The record for this number of coefficients, if it is listed."""
        return RECORDS.get(self.k)

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What a search without a language model reaches."""
        return FLOORS.get(self.k)

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.k,)]

    def judge(self, outputs: list[Any]) -> Score:
        given = self._coefficients(outputs)
        # There is a change of sign: the integral of f is the value of its Fourier transform at 0, f(0) = 0.
        changes = sign_changes(combination(given))
        sizes = [given[i] * hermite(4 * i)[0] for i in range(self.k)]
        sizes.append(-sum(sizes))
        return Score(
            rounded_up(changes.last / (2 * _PI)),
            sign_changes=float(changes.number),
            last_share=abs(sizes[-1]) / sum(map(abs, sizes)),
        )

    def render(self, outputs: Any) -> str:
        given = self._coefficients(outputs)
        changes = sign_changes(combination(given))
        exact = combination(given)
        turned = 1 if exact[-1] > 0 else -1
        x = np.linspace(0.0, 3.0, 601)
        rows = []
        for one in x.tolist():
            y = Fraction(2 * math.pi * one * one)
            value = float(sum(a * y**power for power, a in enumerate(exact)) / max(map(abs, exact)))
            rows.append(turned * value * math.exp(-math.pi * one * one))
        top = max(map(abs, rows)) or 1.0
        drawing = Drawing(
            f"a function that is its own Fourier transform, with the bound {float(changes.last / (2 * _PI)):.10g}",
            x=(0.0, 3.0), y=(-1.0, 1.0), height=300.0,
            description="The cube root of the function, for x from 0 to 3. Dot: the last change of sign.",
        )  # fmt: skip
        drawing.line([(0.0, 0.0), (3.0, 0.0)], "soft")
        drawing.line(zip(x.tolist(), (math.cbrt(one / top) for one in rows), strict=True))
        last = math.sqrt(float(changes.last / (2 * _PI)))
        if last <= 3.0:
            drawing.dot(last, 0.0)
        return drawing.svg()

    def _coefficients(self, outputs: Any) -> list[float]:
        if len(outputs) != 1:
            raise Reject(f"expected one list of coefficients, found {len(outputs)}")
        given: list[float] = numbers(outputs[0], self.k, what="the coefficients").tolist()
        for place, one in enumerate(given):
            if one and not SMALLEST <= abs(one) <= LARGEST:
                raise Reject(
                    f"coefficient {place} is {one!r}; it should be 0 or of a size from {SMALLEST} to {LARGEST}"
                )
        if not any(given):
            raise Reject("all coefficients are 0")
        return given


def combination(given: list[float]) -> Polynomial:
    """The sum of Hermite polynomials in powers of x^2, exactly, up to a positive factor.

    `given` are all coefficients but the last, which follows from the value 0 at 0.
    """
    parts = [hermite(4 * i) for i in range(len(given) + 1)]
    # All are multiplied by the last one's value at 0, which is positive, so that its coefficient is an integer too.
    exact = [whole(one) * parts[-1][0] for one in given]
    exact.append(-sum(whole(one) * part[0] for one, part in zip(given, parts, strict=False)))
    total = [0] * len(parts[-1])
    for one, part in zip(exact, parts, strict=True):
        for power, value in enumerate(part):
            total[power] += one * value
    return polynomial(total)


def hermite(degree: int) -> list[int]:
    """The coefficients of the physicists' Hermite polynomial of an even degree, in powers of x^2."""
    before, now = [0], [1]
    for n in range(degree):
        shifted = [0, *(2 * one for one in now)]
        before, now = now, [a - 2 * n * b for a, b in zip(shifted, [*before, 0, 0], strict=False)]
    return now[::2]
