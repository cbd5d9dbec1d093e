"""Job-shop scheduling: a dispatching rule that says which operation a machine takes next."""

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


class JobShop(Problem):
    """Schedule jobs on machines step by step; minimise the mean makespan above a lower bound, in per cent.

    The judge builds active schedules (Giffler and Thompson 1960): at each step it takes the machine on which an
    operation can be completed first, and asks the candidate to rate the operations that could start there before that.
    """

    name: ClassVar[str] = "job_shop"
    goal: ClassVar[str] = (
        "Write priority(time, start, left, steps, load) -> one number for each operation that competes for a machine; "
        "the highest (the first of equals) is next. The arguments are numpy arrays over these operations: its "
        "processing time, its earliest start less that of the earliest one, the processing time of its job that is "
        "left including it, the number of its job's operations left including it, and the processing time that is left "
        "on the machine of its job's next operation (0 if it has none). Minimise the mean excess of the makespan over "
        "a lower bound, in per cent."
    )
    entry: ClassVar[str] = "priority"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="shortest_share", low=0.2, high=1.0, bins=16),
        Feature(name="waiting", low=0.2, high=0.8, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    best_known: ClassVar[Anchor | None] = Anchor(
        value=0.0, source="the lower bound by the loads of machines and jobs; no schedule is below, few reach it"
    )
    idioms: ClassVar[tuple[Idiom, ...]] = (
        Idiom(
            name="most_work_left",
            code="$score = $score + 0.5 * $left\n",
            holes={"score": "score", "left": "left"},
            source="most work remaining (Giffler and Thompson 1960; Haupt 1989)",
        ),
        Idiom(
            name="earliest_start",
            code="$score = $score - $start\n",
            holes={"score": "score", "start": "start"},
            source="a machine that waits is lost",
        ),
    )

    jobs: Annotated[int, Field(ge=2, le=30)] = 10
    machines: Annotated[int, Field(ge=2, le=20)] = 10
    _made: dict[str, list["Instance"]] = PrivateAttr(default_factory=dict)

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on settings
        """A rule with four weights that CMA-ES sets."""
        if (self.jobs, self.machines) != (10, 10):
            return None
        return Anchor(value=30.5998429303, source="weights set by CMA-ES, 40 CPU s, benchmarks/floors.py")

    def play(self, candidate: Player, stage: str = "train") -> Score:
        if stage not in self._made:
            self._made[stage] = instances(self.jobs, self.machines, stage)
        shops = [Shop(instance) for instance in self._made[stage]]
        for _ in range(self.jobs * self.machines):
            answers = candidate.batch([shop.offer() for shop in shops])
            for shop, answer in zip(shops, answers, strict=True):
                shop.place(numbers(answer, len(shop.competing), what="the priorities"))
        excess = {
            f"{stage}-{place}": 100.0 * (float(shop.free.max()) / bound(shop.instance) - 1.0)
            for place, shop in enumerate(shops)
        }
        asked = sum(shop.asked for shop in shops)
        worked = [float(shop.instance.times.sum()) / (float(shop.free.max()) * self.machines) for shop in shops]
        return Score(
            math.fsum(excess.values()) / len(excess),
            instances=excess,
            outputs={"stage": stage, "starts": shops[0].starts.tolist()},
            shortest_share=sum(shop.shortest for shop in shops) / asked if asked else 1.0,
            waiting=1.0 - math.fsum(worked) / len(worked),
        )

    def render(self, outputs: Any) -> str:
        stage = outputs["stage"]
        instance = instances(self.jobs, self.machines, stage)[0]
        starts = numbers(outputs["starts"], self.jobs, self.machines, what="the starts")
        end = float((starts + instance.times).max())
        drawing = Drawing(
            f"{stage}-0: {self.jobs} jobs on {self.machines} machines take {end:g}; no less than {bound(instance)}",
            x=(0.0, end), y=(-float(self.machines), 0.0), width=900.0, height=24.0 + 24.0 * self.machines,
            description="One row for each machine; the number is the job's.",
        )  # fmt: skip
        for job in range(self.jobs):
            for step in range(self.machines):
                left, time, row = starts[job, step], instance.times[job, step], -1.0 - instance.route[job, step]
                drawing.rectangle(left, row + 0.1, time, 0.8)
                drawing.text(left + time / 2, row + 0.35, str(job), "middle")
        return drawing.svg()


class Instance:
    """Every job visits every machine once.

    Attributes:
        times: processing times (J, M), whole, by job and step.
        route: machines (J, M), by job and step.
    """

    def __init__(self, times: npt.NDArray[Any], route: npt.NDArray[Any]) -> None:
        self.times = times
        self.route = route


def instances(jobs: int, machines: int, stage: str) -> list[Instance]:
    """Times uniform over 1..99 and random routes, as in Taillard 1993: always the same ones.

    Python keeps `random.random` stable.
    """
    draw = random.Random(f"job_shop/{stage}/{jobs}x{machines}").random
    made = []
    for _ in range(INSTANCES[stage]):
        times = np.array([[1 + int(99 * draw()) for _ in range(machines)] for _ in range(jobs)])
        keys = np.array([[draw() for _ in range(machines)] for _ in range(jobs)])
        made.append(Instance(times, np.argsort(keys, axis=1)))
    return made


def bound(instance: Instance) -> int:
    """No schedule is shorter: the longest job; each machine's load with the least time before it and after it."""
    times, route = instance.times, instance.route
    before = np.cumsum(times, axis=1) - times
    after = times.sum(axis=1, keepdims=True) - before - times
    best = int(times.sum(axis=1).max())
    for machine in range(times.shape[1]):
        here = route == machine
        best = max(best, int(times[here].sum() + before[here].min() + after[here].min()))
    return best


class Shop:
    """The schedule of one instance, which grows by one operation at a time. `offer` and `place` alternate."""

    def __init__(self, instance: Instance) -> None:
        jobs, machines = instance.times.shape
        self.instance = instance
        self.starts = np.zeros((jobs, machines), dtype=np.int64)
        self.free = np.zeros(machines, dtype=np.int64)
        """When each machine is."""
        self.competing = np.zeros(0, dtype=np.int64)
        """The jobs that are offered (C,)."""
        self.asked = self.shortest = 0
        """Choices among several, and those of them that took the shortest operation."""
        self._step = np.zeros(jobs, dtype=np.int64)
        self._ready = np.zeros(jobs, dtype=np.int64)
        self._left = instance.times.sum(axis=1)
        self._load = np.bincount(instance.route.ravel(), instance.times.ravel(), machines)

    def offer(self) -> tuple[npt.NDArray[Any], ...]:
        """The arguments of the candidate for the next step, each (C,)."""
        times, route = self.instance.times, self.instance.route
        open_ = np.flatnonzero(self._step < times.shape[1])
        step = self._step[open_]
        machine, time = route[open_, step], times[open_, step]
        start = np.maximum(self._ready[open_], self.free[machine])
        first = int((start + time).argmin())
        among = (machine == machine[first]) & (start < start[first] + time[first])
        self.competing = competing = open_[among]
        following = np.minimum(step[among] + 1, times.shape[1] - 1)
        last = step[among] + 1 == times.shape[1]
        load = np.where(last, 0.0, self._load[route[competing, following]])
        begin = start[among]
        shown = (time[among], begin - begin.min(), self._left[competing], times.shape[1] - step[among], load)
        return tuple(one.astype(np.float64) for one in shown)

    def place(self, scores: npt.NDArray[Any]) -> None:
        """Schedules the operation with the highest of the finite scores (C,)."""
        job = int(self.competing[scores.argmax()])
        step = int(self._step[job])
        machine, time = int(self.instance.route[job, step]), int(self.instance.times[job, step])
        if len(self.competing) > 1:
            self.asked += 1
            self.shortest += bool(time == self.instance.times[self.competing, self._step[self.competing]].min())
        start = max(int(self._ready[job]), int(self.free[machine]))
        self.starts[job, step] = start
        self._ready[job] = self.free[machine] = start + time
        self._left[job] -= time
        self._load[machine] -= time
        self._step[job] += 1
