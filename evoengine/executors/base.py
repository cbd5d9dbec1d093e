"""The interface of executors: a number of workers, each able to evaluate one candidate at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from evoengine.component import Component
from evoengine.types import Answer, Content, Judgement, Probe, Trials


class Evaluates(Protocol):
    """What a worker holds: `evoengine.evaluator.Evaluator`, or something that behaves like it."""

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement: ...

    def answer(self, request: Trials | Probe) -> Answer: ...

    def end_trials(self) -> None: ...

    def close(self) -> None: ...


class Trial(Protocol):
    """One worker, reserved for a conversation."""

    async def answer(self, request: Trials | Probe) -> Answer: ...


class Executor(Component, ABC):
    """Runs evaluations on workers. `async with` starts and ends them."""

    @abstractmethod
    def prepare(self, evaluator: Any) -> None:
        """Says what the workers will hold (an `Evaluates`); called once, before `async with`."""

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
