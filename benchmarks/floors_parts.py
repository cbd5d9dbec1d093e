"""What the floors have in common."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog, minimize

from evoengine.problem import Player, Problem
from evoengine.types import Content, Program

Array = npt.NDArray[Any]
Line = tuple[str, float]
"""What was done, and the problem's own value."""


class Function(Player):
    """A function of this script as a candidate."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @property
    def content(self) -> Content:
        """None that matters."""
        return Program.of("")

    def __call__(self, *args: Any) -> Any:
        """What the function returns."""
        return self.function(*args)

    def batch(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """What it returns for each."""
        return [self.function(*call) for call in calls]


def ticks(seconds: float) -> Iterator[int]:
    """Counts from 1 for so many CPU seconds."""
    end, count = time.process_time() + seconds, 0
    while count == 0 or time.process_time() < end:
        count += 1
        yield count


def scope_of(problem: Problem) -> dict[str, Any]:
    """The names that the problem's seed defines."""
    scope: dict[str, Any] = {"np": np, "minimize": minimize, "linprog": linprog}
    exec(compile(str(problem.seed), f"{problem.name}/seed.py", "exec"), scope)
    return scope


def polish_of(problem: Problem, **names: Array) -> dict[str, Any]:
    """The names of the seed, and those that the problem's `polish` idiom defines: `polished` among them."""
    [idiom] = [one for one in problem.idioms if one.name == "polish"]
    scope = scope_of(problem)
    scope.update(names)
    exec(compile(idiom.code.replace("$random", "7").replace("$", ""), "polish", "exec"), scope)
    return scope


def judged(problem: Problem, answer: Any) -> float:
    """The value of one answer, as it would come out of the jail."""
    return problem.judge(json.loads(json.dumps([answer]))).value
