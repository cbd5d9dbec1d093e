"""Cap sets: a priority that builds a large set of vectors over {0, 1, 2}, no three of them on a line, greedily."""

import math
from itertools import product
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import numbers
from evoengine.drawing import Drawing
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Idiom, Limits

_PROVEN = "Edel 2004, doi:10.1023/A:1027365901231, and the proofs that it quotes"
RECORDS = {
    1: Anchor(value=2, source="proven"),
    2: Anchor(value=4, source="proven"),
    3: Anchor(value=9, source=f"{_PROVEN}"),
    4: Anchor(value=20, source=f"{_PROVEN}"),
    5: Anchor(value=45, source=f"{_PROVEN}"),
    6: Anchor(value=112, source="Potechin 2008, doi:10.1007/s10623-007-9132-z; proven"),
    7: Anchor(value=236, source="Calderbank and Fishburn 1994, by FunSearch 2024, doi:10.1038/s41586-023-06924-6"),
    8: Anchor(value=512, source="FunSearch 2024, doi:10.1038/s41586-023-06924-6"),
}
"""The largest known cap sets by dimension."""


class CapSet(Problem):
    """Give every vector of {0, 1, 2}^n a priority; maximise the cap set that is built greedily by them.

    The setting of FunSearch (Romera-Paredes et al. 2024). The judge builds: vectors are taken from the highest
    priority down (the first of equals), unless two that were taken lie on a line with them. So what is judged is
    always a cap set.
    """

    name: ClassVar[str] = "cap_set"
    goal: ClassVar[str] = (
        "Write priorities(n) -> one number for each of the 3**n vectors of {0, 1, 2}^n in the order of "
        "itertools.product(range(3), repeat=n). A set without three vectors that sum to zero modulo 3 is built "
        "greedily from the highest priority down (the first of equals). Maximise its size."
    )
    entry: ClassVar[str] = "priorities"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="levels", low=0.0, high=4.0, bins=16),
        Feature(name="mean_weight", low=2.0, high=8.0, bins=24),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=5.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    idioms: ClassVar[tuple[Idiom, ...]] = (
        Idiom(
            name="by_weight",
            code="$score = $score + (0.0, 3.0, -4.0, 9.0, -2.0)[($random + $vector.count(0)) % 5]\n",
            holes={"score": "score", "vector": "vector"},
            source="caps with many symmetries are unions of orbits",
        ),
        Idiom(
            name="mirrored_pairs",
            code=(
                "for k in range(len($vector) // 2):\n"
                "    if $vector[k] and $vector[k] == $vector[-1 - k]:\n"
                "        $score = $score - 8.0\n"
            ),
            holes={"score": "score", "vector": "vector"},
            source="FunSearch 2024: coordinates of large caps often come in blocks",
        ),
        Idiom(
            name="shaken",
            code="$score = $score + 8.0 * random.Random($random + hash($vector)).random()\n",
            holes={"score": "score", "vector": "vector"},
            imports=("import random",),
            source="another order of equals",
        ),
    )

    n: Annotated[int, Field(ge=1, le=8)] = 8

    @property
    def best_known(self) -> Anchor:  # type: ignore[override]  # it depends on a setting
        """The record of this dimension."""
        return RECORDS[self.n]

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """Random priorities on orbits."""
        if self.n != 8:
            return None
        return Anchor(value=448, source="hill climbing on priorities of supports, 40 CPU s, benchmarks/floors.py")

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [(self.n,)]

    def judge(self, outputs: list[Any]) -> Score:
        if len(outputs) != 1:
            raise Reject(f"expected one list of priorities, found {len(outputs)}")
        priorities = numbers(outputs[0], 3**self.n, what="the priorities")
        cap = greedy_cap(priorities, self.n)
        vectors = vectors_of(self.n)[cap]
        return Score(
            float(len(cap)),
            outputs={"cap": cap},
            levels=math.log10(len(np.unique(priorities))),
            mean_weight=float((vectors > 0).sum(axis=1).mean()),
        )

    def render(self, outputs: Any) -> str:
        cap = numbers(outputs["cap"], None, longest=3**self.n, what="the cap")
        high, low = divmod(self.n, 2)
        wide, tall = 3 ** (high + low), 3**high
        drawing = Drawing(
            f"a cap set of {len(cap)} of the {3**self.n} vectors", x=(0.0, wide), y=(-float(tall), 0.0),
            description="Each row is one choice of the first half of the coordinates, in lexicographic order.",
        )  # fmt: skip
        drawing.rectangle(0.0, -float(tall), wide, tall, "edge")
        for place in cap.tolist():
            drawing.rectangle(place % wide, -1.0 - place // wide, 1.0, 1.0)
        return drawing.svg()


def vectors_of(n: int) -> npt.NDArray[np.int64]:
    """All vectors (3^n, n), in lexicographic order."""
    return np.array(list(product(range(3), repeat=n)), dtype=np.int64)


def greedy_cap(priorities: npt.NDArray[Any], n: int) -> list[int]:
    """The places of the vectors that are taken, in the order in which they are."""
    vectors, powers = vectors_of(n), 3 ** np.arange(n - 1, -1, -1)
    cap: list[int] = []
    blocked = np.zeros(3**n, dtype=bool)
    for place in np.argsort(-priorities, kind="stable").tolist():
        if not blocked[place]:
            blocked[(-vectors[place] - vectors[cap]) % 3 @ powers] = True
            cap.append(place)
    return cap
