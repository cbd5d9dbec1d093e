"""Matrix multiplication with few multiplications: exact decompositions of the tensor <n, m, p>."""

from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import number, rows_of
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

_AE = "AlphaEvolve 2025, arXiv:2506.13131, table 2"
_AE_DATA = "AlphaEvolve 2025, github.com/google-deepmind/alphaevolve_results: its <4,4,4> twice"
_KNOWN = "known before it, " + _AE
RECORDS = {
    (2, 2, 2): Anchor(value=7, source="Strassen 1969, doi:10.1007/BF02165411; proven by Winograd 1971"),
    (2, 2, 3): Anchor(value=11, source="Hopcroft and Kerr 1971, doi:10.1137/0120004; proven by Alekseyev 1985"),
    (2, 3, 3): Anchor(value=15, source="Hopcroft and Kerr 1971, doi:10.1137/0120004"),
    (3, 3, 3): Anchor(value=23, source="Laderman 1976, doi:10.1090/S0002-9904-1976-13988-2"),
    (2, 4, 5): Anchor(value=32, source=_AE),
    (2, 4, 7): Anchor(value=45, source=_AE),
    (2, 4, 8): Anchor(value=51, source=_AE),
    (2, 5, 6): Anchor(value=47, source=_AE),
    (3, 4, 6): Anchor(value=54, source=_AE),
    (3, 4, 7): Anchor(value=63, source=f"{_AE}; with complex coefficients"),
    (3, 4, 8): Anchor(value=74, source=_AE),
    (3, 5, 6): Anchor(value=68, source=_AE),
    (3, 5, 7): Anchor(value=80, source=_KNOWN),
    (4, 4, 4): Anchor(value=48, source=f"{_AE}; with complex coefficients"),
    (4, 4, 5): Anchor(value=61, source=_AE),
    (4, 4, 7): Anchor(value=85, source=_AE),
    (4, 4, 8): Anchor(value=96, source=_AE_DATA),
    (4, 5, 6): Anchor(value=90, source=_AE),
    (5, 5, 5): Anchor(value=93, source=_KNOWN),
}
"""The smallest known ranks by size, ascending; the order of n, m and p does not matter to the rank."""

LARGEST = 64
"""Of a coefficient's size, and of its real and imaginary part's."""


_idiom = partial(Idiom.read, Path(__file__).parent / "idioms", imports=("import random",))


class MatrixMultiplication(Problem):
    """Multiply an n x m by an m x p matrix with few multiplications of numbers.

    A candidate gives terms (a, b, c): the product of the sum of A's entries weighted by a and that of B's entries
    weighted by b is added to the entries of C = A B weighted by c. Where the terms do not add up to the
    multiplication, every row of wrong coefficients is repaired by one more term. So the value is always the rank of an
    exact algorithm, an unfinished decomposition is worth something, and none is worth more than it is.
    """

    name: ClassVar[str] = "matrix_multiplication"
    goal: ClassVar[str] = (
        "Write decompose(n, m, p) -> a list of terms [a, b, c] of an algorithm for C = A B, with A n x m, B m x p and "
        "C n x p. a, b and c are flat lists of the coefficients of A, B and C, row by row. Each term multiplies "
        "sum(a * A) by sum(b * B) and adds it, times c, to C. Coefficients are multiples of 0.5 from -64 to 64. "
        "Minimise the number of terms; each line of coefficients that is wrong costs one more."
    )
    entry: ClassVar[str] = "decompose"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="repaired", low=0.0, high=1.0, bins=10),
        Feature(name="density", low=0.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=10.0, wall_seconds=60.0, memory_mib=1024, output_mib=4.0)
    idioms: ClassVar[tuple[Idiom, ...]] = (
        _idiom("strassen", holes=("terms", "n", "m", "p"), source="Strassen 1969, doi:10.1007/BF02165411, on blocks"),
        _idiom(
            "flips",
            holes=("terms",),
            source="flip graphs (Kauers and Moosbauer 2022, arXiv:2212.01175; Arai et al. 2023)",
        ),
    )

    n: Annotated[int, Field(ge=1, le=8)] = 2
    m: Annotated[int, Field(ge=1, le=8)] = 4
    p: Annotated[int, Field(ge=1, le=8)] = 5
    field: Literal["rational", "gaussian"] = "rational"
    """Of the coefficients; "gaussian" ones are multiples of 0.5, or pairs [real, imaginary] of them."""

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on settings
        """The smallest known rank of this size."""
        size = sorted((self.n, self.m, self.p))
        return RECORDS.get((size[0], size[1], size[2]))

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on settings
        """What a random walk on the flip graph reaches."""
        if (self.n, self.m, self.p) != (2, 4, 5):
            return None
        return Anchor(value=35, source="flips from Strassen on blocks, 60 CPU s, benchmarks/floors.py")

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The numbers of entries of A, B and C."""
        return self.n * self.m, self.m * self.p, self.n * self.p

    def inputs(self, stage: str = "full") -> list[tuple[int, int, int]]:
        return [(self.n, self.m, self.p)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one list of terms, found {len(outputs)}")
        rows = rows_of(outputs[0], None, longest=self.n * self.m * self.p, what="the terms")
        terms = [rows_of(row, 3, what=f"term {place}") for place, row in enumerate(rows)]
        a, b, c = (
            np.array([self._twice(term[k], size, f"term {i}'s {'abc'[k]}") for i, term in enumerate(terms)])
            for k, size in enumerate(self.sizes)
        )
        own = int((a.any(axis=1) & b.any(axis=1) & c.any(axis=1)).sum())
        wrong = self._wrong(a, b, c)
        repairs = min(int(wrong.any(axis=axis).sum()) for axis in range(3))
        coefficients = np.concatenate([part.ravel() for part in (a, b, c)])
        return Score(
            float(own + repairs),
            feedback="" if not repairs else f"{own} terms, and {repairs} to repair {int(wrong.sum())} coefficients",
            repaired=repairs / (own + repairs),
            density=float((coefficients != 0).mean()),
            wrong=float(wrong.sum()),
        )

    def _wrong(self, a: npt.NDArray[Any], b: npt.NDArray[Any], c: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which coefficients (nm, mp, np) of the multiplication the doubled terms (R, ...) do not add up to.

        Exact: sums of at most 512 products of three integers (or of two times as many, for complex ones) of at
        most 128 stay below 2^53, where float64 holds every integer, in any order of addition.
        """
        products: npt.NDArray[Any] = (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)
        found = (products.T @ c).reshape(self.sizes)
        return np.asarray(found != 8.0 * multiplication(self.n, self.m, self.p))

    def _twice(self, value: Any, size: int, what: str) -> npt.NDArray[Any]:
        """Twice the coefficients, which are integers then.

        Raises:
            Reject: they are not `size` multiples of 0.5 that are not too large.
        """
        row = rows_of(value, size, what=what)
        if self.field == "rational":
            return np.array([_half(entry, what) for entry in row])
        pairs = [rows_of(entry, 2, what=what) if type(entry) is list else (entry, 0) for entry in row]
        return np.array([complex(_half(real, what), _half(imaginary, what)) for real, imaginary in pairs])


def multiplication(n: int, m: int, p: int) -> npt.NDArray[Any]:
    """The tensor (nm, mp, np) of the multiplication of an n x m by an m x p matrix."""
    tensor = np.zeros((n, m, m, p, n, p))
    for i, j, k in product(range(n), range(m), range(p)):
        tensor[i, j, j, k, i, k] = 1.0
    return tensor.reshape(n * m, m * p, n * p)


def _half(value: Any, what: str) -> float:
    twice = 2.0 * number(value, what)
    if not (twice.is_integer() and abs(twice) <= 2 * LARGEST):
        raise Reject(f"{what} should hold multiples of 0.5 from -{LARGEST} to {LARGEST}, found {value!r}")
    return twice
