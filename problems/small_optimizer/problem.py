"""The update rule of an optimizer for small networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import numbers
from evoengine.problem import Player, Problem, Score
from evoengine.types import Anchor, Feature, Limits, Stage

from .tasks import Draws, Linear, Task, Valley, bottleneck, regression, spirals

LARGEST = 1e3
"""Of a parameter; steps end there."""
BEST, WORST = -6.0, 3.0
"""What the logarithm of a loss over the first one is held between."""

TASKS: dict[str, dict[str, Callable[[Draws], Task]]] = {
    "train": {
        "regression": lambda draws: regression(draws, (3, 16, 16, 1)),
        "spirals": lambda draws: spirals(draws, 2, 12),
        "bottleneck": lambda draws: bottleneck(draws, 8, 2),
        "linear": lambda draws: Linear(20, 30.0, 0.1, draws),
        "valley": lambda draws: Valley(6, 1.0, draws),
    },
    "held_out": {
        "wide_regression": lambda draws: regression(draws, (5, 48, 2)),
        "small_start": lambda draws: regression(draws, (3, 10, 10, 10, 1), 0.4),
        "three_spirals": lambda draws: spirals(draws, 3, 16),
        "other_bottleneck": lambda draws: bottleneck(draws, 12, 3),
        "steep_linear": lambda draws: Linear(30, 100.0, 0.3, draws),
        "long_valley": lambda draws: Valley(12, 2.0, draws),
    },
}
"""By stage."""
EXAMPLES = 32
"""Of each gradient."""


class SmallOptimizer(Problem):
    """Find the update rule of an optimizer; minimise the mean log10 of the loss after some steps over the first loss.

    The judge holds the parameters and computes every gradient.
    """

    name: ClassVar[str] = "small_optimizer"
    goal: ClassVar[str] = (
        "Write update(step, progress, gradient, parameters, memory) -> one numpy array [change (n), memory (2n)]: what "
        "is added to the n parameters, and what you want to be given back at the next step of this task (zeros at "
        "first). `step` counts from 1, `progress` is the share of steps that are over, `gradient` that of a mini-batch "
        "of 32 examples. The tasks are small tanh networks, least squares with columns on different scales, and a "
        "curved valley. Minimise the mean log10 of (loss over all examples after 200 steps / loss at the start)."
    )
    entry: ClassVar[str] = "update"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="step_size", low=-5.0, high=1.0, bins=20),
        Feature(name="early", low=0.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=4.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))

    steps: Annotated[int, Field(ge=4, le=2000)] = 200

    def play(self, candidate: Player, stage: str = "train") -> Score:
        runs = {name: Run(task, 31 * place + 7) for place, (name, task) in enumerate(made(stage).items())}
        halfway: dict[str, float] = {}
        with np.errstate(over="ignore", invalid="ignore"):
            for step in range(1, self.steps + 1):
                calls = [(step, (step - 1) / self.steps, *run.offer()) for run in runs.values()]
                for run, answer in zip(runs.values(), candidate.batch(calls), strict=True):
                    run.take(answer)
                if step == self.steps // 2:
                    halfway = {name: run.reached() for name, run in runs.items()}
            reached = {name: run.reached() for name, run in runs.items()}
        shares = [halfway[name] / reached[name] for name in runs if reached[name] < -0.01]
        return Score(
            math.fsum(reached.values()) / len(reached),
            instances=reached,
            step_size=math.fsum(math.log10(run.moved / self.steps + 1e-9) for run in runs.values()) / len(runs),
            early=min(1.0, max(0.0, math.fsum(shares) / max(1, len(shares)))),
        )

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What a published rule reaches after 200 steps."""
        if self.steps != 200:
            return None
        source = "Adam (Kingma and Ba 2015, arXiv:1412.6980), the best of 9 step sizes, benchmarks/floors.py"
        return Anchor(value=-3.20187501906, source=source)


@lru_cache(maxsize=4)
def made(stage: str) -> dict[str, Task]:
    """The tasks of a stage: always the same, since numpy keeps `RandomState` stable."""
    first = 11 if stage == "train" else 511
    return {name: make(Draws(first + place)) for place, (name, make) in enumerate(TASKS[stage].items())}


class Run:
    """One task on its way. `offer` and `take` alternate.

    Args:
        task: whose loss is to be made small.
        seed: of the mini-batches.
    """

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self.parameters = task.start.copy()
        self.moved = 0.0
        """The sum of the root mean squares of all changes."""
        self._memory = np.zeros(2 * len(task.start))
        self._draws = Draws(seed)
        self._first = task.loss(task.start, slice(None))[0]

    def offer(self) -> tuple[npt.NDArray[Any], ...]:
        """The arguments of the candidate after the progress."""
        chosen = self._draws.randint(0, self.task.examples, EXAMPLES)
        _, gradient = self.task.loss(self.parameters, chosen)
        return gradient, self.parameters.copy(), self._memory

    def take(self, answer: Any) -> None:
        """Moves the parameters.

        Raises:
            Reject: the answer is not as many finite numbers as were asked for.
        """
        size = len(self.parameters)
        found = numbers(answer, 3 * size, what="the answer")
        after = np.clip(self.parameters + found[:size], -LARGEST, LARGEST)
        self.moved += float(np.sqrt(((after - self.parameters) ** 2).mean()))
        self.parameters, self._memory = after, found[size:]

    def reached(self) -> float:
        """The logarithm of the loss over all examples, over the first one."""
        value, _ = self.task.loss(self.parameters, slice(None))
        share = max(value / self._first, 10.0**BEST)
        return min(WORST, math.log10(share))
