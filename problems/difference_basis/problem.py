"""Difference bases: few integers whose differences are all of 1 to n."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import integers
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits

LARGEST = 2_000_000
"""Of the elements."""


class DifferenceBasis(Problem):
    """Give a set of integers B, of which every one of 1, 2, ..., n is a difference; minimise |B|^2 / n.

    The least size of such a set, squared and divided by n, has a limit (Rédei and Rényi 1949), of which every value
    is an upper bound.
    """

    name: ClassVar[str] = "difference_basis"
    goal: ClassVar[str] = (
        "Write build(most) -> a list B of at most `most` different non-negative integers up to 2,000,000. Let n be the "
        "largest number such that each of 1, 2, ..., n is a difference of two elements of B. Minimise len(B)**2 / n."
    )
    entry: ClassVar[str] = "build"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="log_size", low=0.0, high=3.0, bins=18),
        Feature(name="reach", low=0.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    best_known: ClassVar[Anchor | None] = Anchor(
        value=360**2 / 49109,
        source="AlphaEvolve 2025, arXiv:2511.02864: 2.6390",
    )
    floor: ClassVar[Anchor | None] = Anchor(
        value=2.63902746951, source="Singer sets at four heights, all factors, benchmarks/floors.py"
    )

    most: Annotated[int, Field(ge=4, le=1000)] = 400

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.most,)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one list of integers, found {len(outputs)}")
        elements = self._elements(outputs)
        covered = reached(np.array(elements))
        if not covered:
            raise Reject("no two elements are 1 apart")
        return Score(
            float(Fraction(len(elements) ** 2, covered)),
            feedback=f"{len(elements)} elements have all differences from 1 to {covered}, and not {covered + 1}",
            log_size=math.log10(len(elements)),
            reach=covered / (elements[-1] - elements[0]),
            covered=float(covered),
        )

    def render(self, outputs: Any) -> str:
        elements = self._elements(outputs)
        first, last = elements[0], elements[-1]
        drawing = Drawing(
            f"{len(elements)} elements with all differences from 1 to {reached(np.array(elements))}",
            x=(first, max(last, first + 1)), y=(0.0, 1.0), width=900.0, height=80.0,
        )  # fmt: skip
        for element in elements:
            drawing.line([(element, 0.0), (element, 1.0)])
        return drawing.svg()

    def _elements(self, outputs: Any) -> list[int]:
        """The set, ascending."""
        elements = sorted(integers(outputs[0], None, 0, LARGEST, longest=self.most, what="the basis"))
        if len(set(elements)) < len(elements):
            raise Reject(f"the basis has {len(elements)} elements, of which {len(set(elements))} are different")
        return elements


def reached(elements: npt.NDArray[Any]) -> int:
    """The largest n such that all of 1 to n are differences of the ascending elements (N,)."""
    covered = np.zeros(int(elements[-1] - elements[0]) + 2, dtype=bool)
    covered[0] = True
    for place, element in enumerate(elements.tolist()):
        covered[elements[place:] - element] = True
    return int(covered.argmin()) - 1
