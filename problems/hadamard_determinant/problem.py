"""Hadamard's maximal determinant problem: matrices of +1 and -1 with a large determinant."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from evoengine.checks import integers, rows_of
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

HALVED = {
    1: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: 5, 7: 9, 8: 32, 9: 56, 10: 144, 11: 320, 12: 1458, 13: 3645, 14: 9477, 15: 25515,
    16: 131072, 17: 327680, 18: 1114112, 19: 3411968, 20: 19531250, 21: 56640625, 22: 195312500, 23: 662671875,
    29: 320 * 7**12,
}  # fmt: skip
"""The largest known determinants by order n, divided by 2^(n - 1); proven up to 22 (OEIS A003432)."""


class HadamardDeterminant(Problem):
    """Give an n x n matrix of +1 and -1; maximise the absolute value of its determinant.

    The value is the determinant divided by Hadamard's bound n^(n/2), which is reached only if n is 1, 2 or a multiple
    of 4.
    """

    name: ClassVar[str] = "hadamard_determinant"
    goal: ClassVar[str] = (
        "Write matrix(n) -> n rows of n entries, each +1 or -1. Maximise abs(det) / n**(n / 2), where the determinant "
        "is computed exactly."
    )
    entry: ClassVar[str] = "matrix"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="correlation", low=0.5, high=5.5, bins=20),
        Feature(name="symmetry", low=0.4, high=1.0, bins=12),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)

    idioms: ClassVar[tuple[Idiom, ...]] = (
        Idiom.read(
            Path(__file__).parent / "idioms",
            "climb",
            holes=("rows",),
            imports=("import numpy as np",),
            source="the best change of one sign, by cofactors, again and again",
        ),
    )

    n: Annotated[int, Field(ge=2, le=40)] = 29

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """The largest known determinant of this order."""
        if self.n in HALVED:
            source = "Orrick, Solomon, Dowdeswell and Smith 2003, arXiv:math/0304410: 2^28 * 7^12 * 320, recomputed"
            if self.n <= 23:
                source = "OEIS A003432" + ("; proven" if self.n <= 22 else "")
            return Anchor(value=share(2 ** (self.n - 1) * HALVED[self.n], self.n), source=source)
        return Anchor(value=1.0, source="Hadamard matrices of this order exist") if self.n % 4 == 0 else None

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What rows and columns of the signs of cofactors reach."""
        if self.n != 29:
            return None
        return Anchor(value=0.730391891192, source="signs of cofactors, 40 CPU s, benchmarks/floors.py")

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.n,)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one matrix, found {len(outputs)}")
        rows = self._rows(outputs)
        found = determinant(rows)
        signs = np.array(rows)
        gram = signs @ signs.T
        apart = np.abs(gram[np.triu_indices(self.n, 1)])
        return Score(
            share(found, self.n),
            feedback=f"the determinant is {found}",
            correlation=float(apart.mean()),
            symmetry=float((signs == signs.T).mean()),
        )

    def render(self, outputs: Any) -> str:
        rows = self._rows(outputs)
        drawing = Drawing(
            f"a matrix of order {self.n}, +1 filled; its determinant is {determinant(rows)}",
            x=(0.0, self.n), y=(-float(self.n), 0.0),
        )  # fmt: skip
        drawing.rectangle(0.0, -float(self.n), self.n, self.n, "edge")
        for i, row in enumerate(rows):
            for k, entry in enumerate(row):
                if entry > 0:
                    drawing.rectangle(k, -1.0 - i, 1.0, 1.0)
        return drawing.svg()

    def _rows(self, outputs: Any) -> list[list[int]]:
        rows = rows_of(outputs[0], self.n, what="the matrix")
        entries = [integers(row, self.n, -1, 1, what=f"row {place}") for place, row in enumerate(rows)]
        if any(0 in row for row in entries):
            raise Reject("the matrix holds a 0; its entries should be +1 or -1")
        return entries


def determinant(rows: list[list[int]]) -> int:
    """The determinant of a matrix of integers, without fractions (Bareiss 1968, doi:10.2307/2004533)."""
    rows, sign, before = [row[:] for row in rows], 1, 1
    for k in range(len(rows) - 1):
        pivot = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        if pivot is None:
            return 0
        if pivot != k:
            rows[k], rows[pivot], sign = rows[pivot], rows[k], -sign
        head = rows[k][k]
        for row in rows[k + 1 :]:
            lead = row[k]
            for j in range(k + 1, len(rows)):
                row[j] = (row[j] * head - lead * rows[k][j]) // before
        before = head
    return sign * rows[-1][-1]


def share(found: int, n: int) -> float:
    """A determinant's size by Hadamard's bound n^(n/2), rounded twice."""
    return math.sqrt(Fraction(found**2, n**n))
