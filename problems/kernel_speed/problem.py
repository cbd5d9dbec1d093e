"""A kernel whose speed is measured from outside: counting the neighbours of points."""

from __future__ import annotations

import math
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from evoengine.checks import numbers
from evoengine.problem import Player, Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits, Stage

Array = npt.NDArray[np.float64]

ROUNDS = 5
"""How often each case is timed; the reference alone `ALONE` times before."""
ALONE = 3
SIDE = 4096
"""Coordinates are whole numbers below it, so that distances are exact."""
BLOCK = 8
"""Rows that the reference looks at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is drawn.

    Attributes:
        points: how many.
        radius: a whole number.
        clusters: around how many places the points lie; 0 for everywhere alike.
    """

    points: int
    radius: int
    clusters: int = 0

    def drawn(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """The points' whole coordinates, as float64."""
        if not self.clusters:
            places = rng.integers(0, SIDE, (2, self.points))
        else:
            middles = rng.integers(0, SIDE, (2, self.clusters))[:, rng.integers(0, self.clusters, self.points)]
            places = np.clip(middles + rng.normal(0.0, SIDE / 16, middles.shape).astype(np.int64), 0, SIDE - 1)
        return places[0].astype(np.float64), places[1].astype(np.float64)


CASES = {
    "train": {
        "1000_uniform": Case(points=1000, radius=200),
        "4000_uniform": Case(points=4000, radius=100),
        "4000_clusters": Case(points=4000, radius=50, clusters=12),
    },
    "held_out": {
        "1500_uniform": Case(points=1500, radius=300),
        "5000_uniform": Case(points=5000, radius=64),
        "3000_clusters": Case(points=3000, radius=100, clusters=3),
    },
}
"""By stage. The first two of each differ in size, and their times give the growth."""


class KernelSpeed(Problem):
    """Count, for each of many points, the others within a radius; maximise the speed over the reference's.

    The judge takes the time, on points that it draws anew from the machine's entropy for every call, and compares
    every count. Timings are not reproducible: neither is a score.
    """

    name: ClassVar[str] = "kernel_speed"
    goal: ClassVar[str] = (
        "Write neighbours(xs, ys, radius) -> for each of N points in the plane, the number of other points whose "
        "distance is at most `radius`, as a float64 numpy array (N,). xs and ys are float64 arrays of whole numbers "
        "from 0 to 4095, N is 1000 to 5000, points lie anywhere or in clusters, and may coincide. Every count "
        "has to be right. Maximise the speed as a multiple of the speed of a numpy program that looks at all pairs; "
        "the time of a call is taken from outside, with about 0.1 ms for handing the data over."
    )
    entry: ClassVar[str] = "neighbours"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="growth", low=-0.5, high=2.5, bins=12),
        Feature(name="ast_nodes", low=0.0, high=600.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=4.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    repeats: ClassVar[int] = 3
    floor: ClassVar[Anchor | None] = Anchor(
        value=3.8,
        source="neighbouring cells of a grid in numpy, median of 15 timings in the jail, benchmarks/floors.py",
    )

    def play(self, candidate: Player, stage: str = "train") -> Score:
        cases = CASES[stage]
        # From entropy: what follows from a seed or from the program's text could be known when it is loaded.
        rng = np.random.default_rng(secrets.randbits(128))
        # Before the candidate's process is there, and again beside it: it can then not slow the reference down.
        alone = {name: median(timed(case, rng)[0] for _ in range(ALONE)) for name, case in cases.items()}
        beside: dict[str, list[float]] = {name: [] for name in cases}
        taken: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(ROUNDS):
            for name, case in cases.items():
                spent, wanted, (xs, ys) = timed(case, rng)
                beside[name].append(spent)
                began = time.perf_counter()
                [answer] = candidate.batch([(xs, ys, case.radius)])
                taken[name].append(time.perf_counter() - began)
                check(answer, wanted, name)
        speeds = {name: min(alone[name], median(beside[name])) / max(median(taken[name]), 1e-6) for name in cases}
        (less, small), (more, large) = [(median(taken[name]), case.points) for name, case in cases.items()][:2]
        return Score(
            math.prod(speeds.values()) ** (1.0 / len(speeds)),
            instances=speeds,
            outputs={"milliseconds": {name: 1000.0 * median(taken[name]) for name in cases}},
            growth=math.log(max(more, 1e-6) / max(less, 1e-6)) / math.log(large / small),
        )


def timed(case: Case, rng: np.random.Generator) -> tuple[float, Array, tuple[Array, Array]]:
    """CPU seconds of the reference on new points, its counts, and the points.

    CPU and not wall: what else runs on the machine, the candidate's process included, adds nothing to it.
    """
    xs, ys = case.drawn(rng)
    began = time.thread_time()
    wanted = reference(xs, ys, case.radius)
    return max(time.thread_time() - began, 1e-6), wanted, (xs, ys)


def reference(xs: Array, ys: Array, radius: int) -> Array:
    """The counts, from all pairs; exact, as squares of whole numbers below 4096 are."""
    counts = np.empty(len(xs))
    across, up = np.empty((BLOCK, len(xs))), np.empty((BLOCK, len(xs)))
    for start in range(0, len(xs), BLOCK):
        rows = slice(start, start + BLOCK)
        size = len(xs[rows])
        # into the same memory again: getting it anew takes a time of its own, which varies
        a, b = across[:size], up[:size]
        np.subtract(xs[rows, None], xs, out=a)
        np.subtract(ys[rows, None], ys, out=b)
        np.multiply(a, a, out=a)
        np.multiply(b, b, out=b)
        counts[rows] = (np.add(a, b, out=a) <= radius * radius).sum(axis=1) - 1.0
    return counts


def check(answer: Any, wanted: Array, name: str) -> None:
    """Compares every count.

    Raises:
        Reject: one is wrong, or is no number.
    """
    found = numbers(answer, len(wanted), what=f"the counts of {name}")
    wrong = np.flatnonzero(found != wanted)
    if len(wrong):
        place = int(wrong[0])
        raise Reject(
            f"{len(wrong)} of {len(wanted)} counts of {name} are wrong: point {place} has {wanted[place]:g} "
            f"neighbours, found {found[place]:g}"
        )
