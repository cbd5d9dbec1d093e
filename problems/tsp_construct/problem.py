"""The travelling salesman: a rule that says which city comes next."""

import math
import random
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, PrivateAttr

from evoengine.checks import numbers
from evoengine.drawing import Drawing
from evoengine.problem import Player, Problem, Score
from evoengine.types import Anchor, Feature, Idiom, Limits, Stage

INSTANCES = {"train": 32, "held_out": 64}
DRAWN = 4
"""Of the instances, the first ones, whose tours are kept to be drawn."""


class TspConstruct(Problem):
    """Build tours of random cities step by step; minimise their mean length.

    The judge walks: at each step it asks the candidate to rate the cities that are left. All instances
    walk in lockstep, so that one exchange with the candidate serves them all.
    """

    name: ClassVar[str] = "tsp_construct"
    goal: ClassVar[str] = (
        "Write score_next(distance, home, nearest, mean) -> one number for each city not yet visited; the highest "
        "(the first of equals) is next. The arguments are numpy arrays over these cities: the distance from here, the "
        "distance to the city where the tour started and must end, and the distances to the nearest and on average to "
        "all other cities not yet visited. Minimise the mean length of the closed tours."
    )
    entry: ClassVar[str] = "score_next"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="nearest_share", low=0.3, high=1.0, bins=20),
        Feature(name="closing", low=0.0, high=0.8, bins=16),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))

    idioms: ClassVar[tuple[Idiom, ...]] = (
        Idiom(
            name="far_from_home_first",
            code="$score = $score + 0.2 * $home\n",
            holes={"score": "score", "home": "home"},
            source="the way back should be short",
        ),
        Idiom(
            name="lonely_first",
            code="$score = $score + 0.2 * $nearest\n",
            holes={"score": "score", "nearest": "nearest"},
            source="a city that is left over alone is dear later",
        ),
    )

    cities: Annotated[int, Field(ge=4, le=200)] = 60
    _made: dict[str, npt.NDArray[Any]] = PrivateAttr(default_factory=dict)

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What local search, which sees the whole instance, reaches on the training instances of 60 cities."""
        if self.cities != 60:
            return None
        return Anchor(value=6.216, source="2-opt with random segment moves, benchmarks/floors.py; not a bound")

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """A rule with one constant."""
        return Anchor(value=7.076, source="0.5 * home - distance, benchmarks/floors.py") if self.cities == 60 else None

    def play(self, candidate: Player, stage: str = "train") -> Score:
        if stage not in self._made:
            self._made[stage] = distances(self.cities, stage)
        walks = [Walk(matrix) for matrix in self._made[stage]]
        for _ in range(self.cities - 1):
            for walk, answer in zip(walks, candidate.batch([walk.offer() for walk in walks]), strict=True):
                walk.step(numbers(answer, len(walk.left), what="the scores"))
        lengths = {f"{stage}-{place}": walk.length() for place, walk in enumerate(walks)}
        steps = len(walks) * (self.cities - 1)
        return Score(
            math.fsum(lengths.values()) / len(lengths),
            instances=lengths,
            outputs={"stage": stage, "tours": [walk.tour for walk in walks[:DRAWN]]},
            nearest_share=sum(walk.nearest for walk in walks) / steps,
            closing=math.fsum(float(walk.matrix[walk.tour[-1], walk.tour[0]]) for walk in walks) / len(walks),
        )

    def render(self, outputs: Any) -> str:
        stage, tours = outputs["stage"], outputs["tours"]
        drawing = Drawing(
            f"the tours of the first {len(tours)} of {INSTANCES[stage]} instances of {self.cities} cities",
            x=(0.0, 2.1), y=(-1.2 * ((len(tours) - 1) // 2), 1.1), width=560.0,
            description="The larger dot is the city where a tour starts and ends.",
        )  # fmt: skip
        for place, (tour, cities) in enumerate(zip(tours, points(self.cities, stage), strict=False)):
            across, up = 1.1 * (place % 2), -1.2 * (place // 2)
            walked = [(x + across, y + up) for x, y in cities[tour].tolist()]
            steps = np.diff(cities[[*tour, tour[0]]], axis=0)
            drawing.polygon(walked, "line")
            for x, y in walked:
                drawing.dot(x, y, "edge", 1.0)
            drawing.dot(*walked[0])
            drawing.text(across, up + 1.04, f"{stage}-{place}: {math.fsum(np.hypot(*steps.T).tolist()):.6g}")
        return drawing.svg()


def points(cities: int, stage: str) -> npt.NDArray[Any]:
    """Cities (I, N, 2) uniform in the unit square: always the same ones.

    Python keeps `random.random` stable.
    """
    draw = random.Random(f"tsp_construct/{stage}/{cities}").random
    return np.array([[(draw(), draw()) for _ in range(cities)] for _ in range(INSTANCES[stage])])


def distances(cities: int, stage: str) -> npt.NDArray[Any]:
    """Euclidean distances (I, N, N) of the cities."""
    placed = points(cities, stage)
    steps: npt.NDArray[Any] = placed[:, :, None, :] - placed[:, None, :, :]
    matrices: npt.NDArray[Any] = np.hypot(steps[..., 0], steps[..., 1])
    return matrices


class Walk:
    """A tour that grows by one city at a step, from city 0.

    Args:
        matrix: distances (N, N).
    """

    def __init__(self, matrix: npt.NDArray[Any]) -> None:
        self.matrix = matrix
        self.tour = [0]
        self.left = np.arange(1, len(matrix))
        """The cities not yet visited (M,), ascending."""
        self.nearest = 0
        """Steps that went to the nearest of them."""
        among = matrix[1:, 1:].copy()
        np.fill_diagonal(among, np.inf)
        self._among = among
        self._sums = np.where(np.isfinite(among), among, 0.0).sum(axis=1)

    def offer(self) -> tuple[npt.NDArray[Any], ...]:
        """The arguments of the candidate for the next step, each (M,)."""
        left = self.left
        if len(left) == 1:
            nearest = mean = np.zeros(1)
        else:
            nearest, mean = self._among.min(axis=1), self._sums / (len(left) - 1)
        return self.matrix[self.tour[-1]][left], self.matrix[0][left], nearest, mean

    def step(self, scores: npt.NDArray[Any]) -> None:
        """Goes to the city with the highest of the finite scores (M,)."""
        chosen = int(scores.argmax())
        here = self.matrix[self.tour[-1]][self.left]
        self.nearest += bool(here[chosen] == here.min())
        city = int(self.left[chosen])
        keep = np.arange(len(self.left)) != chosen
        self.tour.append(city)
        self.left = self.left[keep]
        self._among = self._among[np.ix_(keep, keep)]
        self._sums = self._sums[keep] - self.matrix[city][self.left]

    def length(self) -> float:
        """Of the tour, closed."""
        return math.fsum(self.matrix[self.tour, np.roll(self.tour, -1)].tolist())
