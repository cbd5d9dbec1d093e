"""The interface of executors: a number of workers, each able to evaluate one candidate at a time."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from evoengine.component import Component
from evoengine.errors import ExecutorError
from evoengine.types import Answer, Content, Judgement, Probe, Trials


class Evaluates(Protocol):
    """What a worker holds: `evoengine.evaluator.Evaluator`, or something that behaves like it."""

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement: ...

    def answer(self, request: Trials | Probe) -> Answer: ...

    def end_trials(self) -> None: ...

    def close(self) -> None: ...


def gpus_of(evaluator: Any) -> float:
    """How many GPUs each worker needs that holds this; what says nothing of it needs none."""
    return float(getattr(evaluator, "gpus", 0.0))


def visible_gpus() -> list[str]:
    """The GPUs of this machine that this process may use, as `CUDA_VISIBLE_DEVICES` names them."""
    there = sorted(path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return there if given is None else [one.strip() for one in given.split(",") if one.strip() not in ("", "-1")]


def gpus_shared(wanted: float, workers: int) -> list[str | None]:
    """For each worker that can have as much of this machine's GPUs, its own, as `CUDA_VISIBLE_DEVICES` names them.

    Args:
        wanted: GPUs for each, or the share of one; 0 for workers that use none, and need no variable.
        workers: how many at most.

    Raises:
        ExecutorError: there are not as many.
    """
    if wanted <= 0:
        return [None] * workers
    there = visible_gpus()
    each, together = max(1, math.ceil(wanted)), max(1, math.floor(1 / wanted + 1e-9))
    shares = [",".join(there[at : at + each]) for at in range(0, len(there) - each + 1, each)]
    if not shares:
        raise ExecutorError(
            f"the problem needs {wanted:g} GPUs for each worker, and this machine has {len(there)} that can be used: "
            f"run it on one that has them, or on a cluster (executor 'ray'), and look at CUDA_VISIBLE_DEVICES."
        )
    several: list[str | None] = [share for _ in range(together) for share in shares]
    return several[:workers]


class Trial(Protocol):
    """One worker, reserved for a conversation."""

    async def answer(self, request: Trials | Probe) -> Answer: ...


class Executor(Component, ABC):
    """Runs evaluations on workers. `async with` starts and ends them."""

    @abstractmethod
    def prepare(self, evaluator: Any) -> None:
        """Says what the workers will hold (an `Evaluates`); called once, before `async with`."""

    def give_way(self, cores: int) -> None:  # whoever has no workers on this machine need not care
        """Says, within `async with`, how many of this machine's cores (the first) a language model keeps busy.

        Work goes there only when it would wait long otherwise. It changes no result.
        """

    @abstractmethod
    async def __aenter__(self) -> Executor: ...

    @abstractmethod
    async def __aexit__(self, *exc: object) -> None: ...

    @abstractmethod
    async def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        """The evaluation of one candidate, on whichever worker is free first.

        Raises:
            ExecutorError: workers keep failing, for no candidate's fault.
            SandboxError: the sandbox keeps failing.
        """

    @abstractmethod
    def reserve(self) -> AbstractAsyncContextManager[Trial]:
        """One worker for a conversation's trials and probes, until the context is left."""
