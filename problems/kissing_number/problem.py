"""Kissing numbers: many integer vectors, none closer to another than the longest of them is long."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import integers, rows_of
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

_PROVEN = "Odlyzko and Sloane 1979, Levenshtein 1979, doi:10.1016/0097-3165(79)90074-8"
_CLASSICAL = "Conway and Sloane, Sphere Packings, Lattices and Groups, 3rd ed., table 1.5"
RECORDS = {
    2: Anchor(value=6, source="hexagonal lattice; proven"),
    3: Anchor(value=12, source="Schütte and van der Waerden 1953; proven"),
    4: Anchor(value=24, source="Musin 2008, doi:10.4007/annals.2008.168.1; proven"),
    5: Anchor(value=40, source=_CLASSICAL),
    6: Anchor(value=72, source=_CLASSICAL),
    7: Anchor(value=126, source=_CLASSICAL),
    8: Anchor(value=240, source=f"{_PROVEN}; proven"),
    9: Anchor(value=306, source=_CLASSICAL),
    10: Anchor(value=510, source="Ganzhinov 2022, arXiv:2207.08266"),
    11: Anchor(value=600, source="ours, built in a test from the 604 with roots of arXiv:2606.10402"),
    12: Anchor(value=840, source=_CLASSICAL),
}
"""The largest known kissing configurations by dimension."""

MOST = {2: 6, 3: 12, 4: 24, 5: 44, 6: 78, 7: 134, 8: 240, 9: 364, 10: 554, 11: 870, 12: 1357}
"""No configuration has more vectors: proven upper bounds, or a little above them
(Mittelmann and Vallentin 2010, arXiv:0902.1105)."""

LARGEST = 10**18
"""Of an entry's size."""


class KissingNumber(Problem):
    """Give integer vectors whose smallest distance is at least their largest norm; maximise their number.

    Two vectors that are at least as far apart as the longer of them is long are at least 60 degrees apart: scaled to
    one length they are centres of spheres that touch a central one and do not overlap. So the vectors need not have
    one length (AlphaEvolve 2025, arXiv:2506.13131, B.11).
    """

    name: ClassVar[str] = "kissing_number"
    goal: ClassVar[str] = (
        "Write vectors(d) -> a list of non-zero integer vectors with d entries each, such that the squared distance of "
        "any two is at least the largest squared norm of all. Maximise how many there are."
    )
    entry: ClassVar[str] = "vectors"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="shortest_share", low=0.9, high=1.0, bins=10),
        Feature(name="touching", low=0.0, high=120.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=1.0)
    idioms: ClassVar[tuple[Idiom, ...]] = (
        Idiom.read(
            Path(__file__).parent / "idioms",
            "greedy_code",
            holes=("found", "d"),
            imports=("import itertools", "import random"),
            source="construction A on a constant-weight code (Conway and Sloane, chapter 5)",
        ),
    )

    d: Annotated[int, Field(ge=2, le=12)] = 11

    @property
    def best_known(self) -> Anchor:  # type: ignore[override]  # it depends on a setting
        """The record of this dimension."""
        return RECORDS[self.d]

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """Construction A on a constant-weight code that a local search finds."""
        if self.d != 11:
            return None
        return Anchor(value=582, source="vectors of a code by local search, benchmarks/floors.py")

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.d,)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one list of vectors, found {len(outputs)}")
        rows = rows_of(outputs[0], None, longest=MOST[self.d], what="the vectors")
        vectors = [integers(row, self.d, -LARGEST, LARGEST, what=f"vector {place}") for place, row in enumerate(rows)]
        norms = [sum(x * x for x in vector) for vector in vectors]
        if 0 in norms:
            raise Reject(f"vector {norms.index(0)} is zero")
        longest = max(norms)
        near = require_apart(vectors, longest)
        return Score(
            float(len(vectors)),
            shortest_share=float((min(norms) / longest) ** 0.5),
            touching=2.0 * near / len(vectors),
        )


def require_apart(vectors: list[list[int]], least: int) -> int:
    """The number of pairs closer than 1.0001 times the least allowed squared distance; none may be closer than that.

    float64 decides all pairs but those within its rounding error of the least distance; integers decide these.

    Raises:
        Reject: two vectors are closer.
    """
    scale = float(least) ** 0.5
    placed: npt.NDArray[Any] = np.array(vectors, dtype=np.float64) / scale
    squares = np.einsum("ij,ij->i", placed, placed)
    apart = squares[:, None] + squares[None, :] - 2.0 * (placed @ placed.T)
    np.fill_diagonal(apart, np.inf)
    if apart.min() < 1.0 - 1e-12:  # what float64 is sure of first: it bounds the pairs that are left
        i, j = divmod(int(apart.argmin()), len(vectors))
        raise Reject(f"vectors {i} and {j} are closer than the longest is long: {apart[i, j]:.6g} of its squared norm")
    for i, j in np.argwhere(np.triu(apart <= 1.0 + 1e-12, 1)).tolist():
        found = sum((a - b) ** 2 for a, b in zip(vectors[i], vectors[j], strict=True))
        if found < least:
            raise Reject(f"vectors {i} and {j} are closer than the longest is long: {found} < {least}, both squared")
    return int((np.triu(apart < 1.0001, 1)).sum())
