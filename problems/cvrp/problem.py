"""Vehicle routing with capacities: a rule that says which customer is served next."""

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

INSTANCES = {"train": 16, "held_out": 32}
CAPACITY = 40
"""Of a vehicle; demands are 1 to 9."""
DRAWN = 4
"""Of the instances, the first ones, whose routes are kept to be drawn."""


class Cvrp(Problem):
    """Build routes from a depot customer by customer; minimise their mean total length.

    The judge drives: at each step it asks the candidate to rate the customers that still fit and, away from it, the
    depot. All instances go in lockstep, so that one exchange with the candidate serves them all.
    """

    name: ClassVar[str] = "cvrp"
    goal: ClassVar[str] = (
        "Write score_next(distance, depot, demand, room) -> one number for each place where the vehicle can go; the "
        "highest (the first of equals) is next. The arguments are numpy arrays over these places: the distance from "
        "here, the distance to the depot, the customer's demand (at most what is left), and what is left of the "
        "vehicle's capacity (40), the same for all. Away from the depot, the last entry is the depot itself (distance "
        "to the depot 0, demand 0): going there empties the vehicle. Minimise the mean length of all routes."
    )
    entry: ClassVar[str] = "score_next"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="routes", low=5.0, high=15.0, bins=20),
        Feature(name="nearest_share", low=0.3, high=1.0, bins=14),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    idioms: ClassVar[tuple[Idiom, ...]] = (
        Idiom(
            name="far_from_depot_first",
            code="$score = $score + 0.3 * $depot\n",
            holes={"score": "score", "depot": "depot"},
            source="savings (Clarke and Wright 1964): what is far is best served on the way",
        ),
        Idiom(
            name="home_when_nearly_full",
            code="$score = $score + ($demand == 0.0) * ($room < 4.0) * 0.5\n",
            holes={"score": "score", "demand": "demand", "room": "room"},
            source="a detour for the last few units seldom pays",
        ),
    )

    customers: Annotated[int, Field(ge=4, le=100)] = 50
    _made: dict[str, list["Instance"]] = PrivateAttr(default_factory=dict)

    @property
    def best_known(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What a local search, which sees the whole instance, reaches on the training instances."""
        if self.customers != 50:
            return None
        return Anchor(
            value=10.8392982985, source="ruin and recreate, 2 CPU s an instance, benchmarks/floors.py; not a bound"
        )

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """A rule with three constants that CMA-ES sets."""
        if self.customers != 50:
            return None
        return Anchor(value=12.9653038521, source="constants set by CMA-ES, 20 CPU s, benchmarks/floors.py")

    def play(self, candidate: Player, stage: str = "train") -> Score:
        if stage not in self._made:
            self._made[stage] = instances(self.customers, stage)
        drives = [Drive(instance) for instance in self._made[stage]]
        while on_the_way := [drive for drive in drives if drive.left.any()]:
            answers = candidate.batch([drive.offer() for drive in on_the_way])
            for drive, answer in zip(on_the_way, answers, strict=True):
                drive.step(numbers(answer, len(drive.places), what="the scores"))
        lengths = {f"{stage}-{place}": length(drive.instance, drive.routes) for place, drive in enumerate(drives)}
        steps = self.customers * len(drives)
        return Score(
            math.fsum(lengths.values()) / len(lengths),
            instances=lengths,
            outputs={"stage": stage, "routes": [drive.routes for drive in drives[:DRAWN]]},
            routes=sum(len(drive.routes) for drive in drives) / len(drives),
            nearest_share=sum(drive.nearest for drive in drives) / steps,
        )

    def render(self, outputs: Any) -> str:
        stage, drawn = outputs["stage"], outputs["routes"]
        drawing = Drawing(
            f"the routes of the first {len(drawn)} of {INSTANCES[stage]} instances of {self.customers} customers",
            x=(0.0, 2.1), y=(-1.2 * ((len(drawn) - 1) // 2), 1.1), width=560.0,
            description="The larger dot is the depot.",
        )  # fmt: skip
        for place, (routes, instance) in enumerate(zip(drawn, instances(self.customers, stage), strict=False)):
            across, up = 1.1 * (place % 2), -1.2 * (place // 2)
            placed = [(x + across, y + up) for x, y in instance.points.tolist()]
            for route in routes:
                drawing.polygon([placed[0], *(placed[k] for k in route)], "line")
            for x, y in placed[1:]:
                drawing.dot(x, y, "edge", 1.0)
            drawing.dot(*placed[0])
            drawing.text(across, up + 1.04, f"{stage}-{place}: {length(instance, routes):.6g}")
        return drawing.svg()


class Instance:
    """A depot, place 0, and customers uniform in the unit square.

    Attributes:
        points: (N + 1, 2).
        demands: whole numbers (N + 1,), 0 for the depot.
        matrix: distances (N + 1, N + 1).
    """

    def __init__(self, points: npt.NDArray[Any], demands: npt.NDArray[Any]) -> None:
        self.points = points
        self.demands = demands
        steps: npt.NDArray[Any] = points[:, None, :] - points[None, :, :]
        self.matrix: npt.NDArray[Any] = np.hypot(steps[..., 0], steps[..., 1])


def instances(customers: int, stage: str) -> list[Instance]:
    """Always the same ones: Python keeps `random.random` stable."""
    draw = random.Random(f"cvrp/{stage}/{customers}").random
    made = []
    for _ in range(INSTANCES[stage]):
        points = np.array([(draw(), draw()) for _ in range(customers + 1)])
        made.append(Instance(points, np.array([0.0] + [1.0 + int(9 * draw()) for _ in range(customers)])))
    return made


def length(instance: Instance, routes: list[list[int]]) -> float:
    """Of all routes, each from the depot and back to it."""
    tours = [[0, *route] for route in routes]
    return math.fsum(float(instance.matrix[tour[k - 1], tour[k]]) for tour in tours for k in range(len(tour)))


class Drive:
    """The routes of one instance, which grow by one step at a time. `offer` and `step` alternate."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.routes: list[list[int]] = []
        self.left = instance.demands > 0
        """Which places are customers not yet served (N + 1,)."""
        self.places = np.zeros(0, dtype=np.int64)
        """Where the vehicle can go (M,)."""
        self.nearest = 0
        """Customers that were the nearest of those that were offered."""
        self._here, self._room = 0, float(CAPACITY)

    def offer(self) -> tuple[npt.NDArray[Any], ...]:
        """The arguments of the candidate for the next step, each (M,)."""
        instance = self.instance
        places = np.flatnonzero(self.left & (instance.demands <= self._room))
        self.places = np.append(places, 0) if self._here else places
        to = instance.matrix[self._here][self.places]
        room = np.full(len(self.places), self._room)
        return to, instance.matrix[0][self.places], instance.demands[self.places], room

    def step(self, scores: npt.NDArray[Any]) -> None:
        """Goes to the place with the highest of the finite scores (M,)."""
        place = int(self.places[scores.argmax()])
        if place == 0:
            self._here, self._room = 0, float(CAPACITY)
            return
        if self._here == 0:
            self.routes.append([])
        offered = self.instance.matrix[self._here][self.places[self.places > 0]]
        self.nearest += bool(self.instance.matrix[self._here, place] == offered.min())
        self.routes[-1].append(place)
        self.left[place] = False
        self._here, self._room = place, self._room - float(self.instance.demands[place])
