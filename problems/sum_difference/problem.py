"""Sums and differences: a finite set of integers with many differences and few sums."""

import math
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import integers
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits

DENSE = 4_000_000
"""Up to this largest element, sums and differences are ticked off in a table; above it, they are sorted."""
_SHOWN = 1500
"""Elements, of the smallest, that are drawn."""


class SumDifference(Problem):
    """Give a finite set U of non-negative integers with 0; maximise what it proves for sums and differences.

    The value is 1 + log(|U - U| / |U + U|) / log(2 max U + 1): a lower bound for the largest c such that for some
    sets A and B of any size with |A + B| at most a constant times |A|, |A - B| is at least as large as |A + B|^c
    (Gyarmati, Hennecart and Ruzsa 2007).
    """

    name: ClassVar[str] = "sum_difference"
    goal: ClassVar[str] = (
        "Write build(most) -> a list of at most `most` different non-negative integers U, 0 among them. Maximise "
        "1 + log(|U - U| / |U + U|) / log(2 * max(U) + 1), where U + U and U - U are the sets of all sums and "
        "differences of two elements (or of one with itself)."
    )
    entry: ClassVar[str] = "build"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="log_size", low=0.0, high=3.6, bins=18),
        Feature(name="density", low=0.2, high=1.0, bins=16),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)

    most: Annotated[int, Field(ge=3, le=4096)] = 2003
    largest: Annotated[int, Field(ge=3, le=10**18)] = 10**18

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The best set of this size that has been published."""
        if self.most != 2003 or self.largest != 10**18:
            return None
        return Anchor(
            value=1.14798889651, source="AlphaEvolve 2025, arXiv:2506.13131, B.6: a set of 2003 integers, recomputed"
        )

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """Integer points of simplices, written in a small base."""
        if self.most != 2003:
            return None
        return Anchor(
            value=1.13529841429, source="a simplex in a small base and changes to it, 20 CPU s, benchmarks/floors.py"
        )

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.most,)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one list of integers, found {len(outputs)}")
        elements = self._elements(outputs)
        sums, differences = sizes(np.array(elements, dtype=np.int64))
        largest = elements[-1]
        return Score(
            1.0 + (math.log(differences) - math.log(sums)) / math.log(2 * largest + 1),
            log_size=math.log10(len(elements)),
            density=math.log(len(elements)) / math.log(largest + 1),
            sums=float(sums),
            differences=float(differences),
            largest=float(largest),
        )

    def render(self, outputs: Any) -> str:
        elements = self._elements(outputs)[:_SHOWN]
        drawing = Drawing(
            f"the {len(elements)} smallest elements, on a line", x=(0.0, max(elements[-1], 1)), y=(0.0, 1.0),
            width=900.0, height=80.0,
        )  # fmt: skip
        for element in elements:
            drawing.line([(element, 0.0), (element, 1.0)])
        return drawing.svg()

    def _elements(self, outputs: Any) -> list[int]:
        """The set, ascending."""
        elements = sorted(integers(outputs[0], None, 0, self.largest, longest=self.most, what="the set"))
        if elements[0] != 0 or len(elements) < 2:
            raise Reject("the set should hold 0 and another number")
        if len(set(elements)) < len(elements):
            raise Reject(f"the set has {len(elements)} elements, of which {len(set(elements))} are different")
        return elements


def sizes(elements: npt.NDArray[np.int64]) -> tuple[int, int]:
    """The numbers of sums and of differences of ascending elements (N,), the smallest of which is 0. Exact."""
    largest = int(elements[-1])
    if largest <= DENSE:
        sums, differences = np.zeros(2 * largest + 1, dtype=bool), np.zeros(largest + 1, dtype=bool)
        for place, element in enumerate(elements.tolist()):
            sums[elements[place:] + element] = True
            differences[elements[place:] - element] = True
        return int(sums.sum()), 2 * int(differences.sum()) - 1
    above = [elements[place:] for place in range(len(elements))]
    sums = np.concatenate([part + part[0] for part in above])
    differences = np.concatenate([part - part[0] for part in above])
    return _different(sums), 2 * _different(differences) - 1


def _different(found: npt.NDArray[np.int64]) -> int:
    found.sort()  # many times as fast as numpy.unique, which hashes
    return 1 + int(np.count_nonzero(found[1:] != found[:-1]))
