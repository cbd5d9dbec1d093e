"""Evaluation on this machine's cores."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from pydantic import Field, PrivateAttr

from evoengine.errors import ExecutorError
from evoengine.executors._lane import Setup, pickled
from evoengine.executors._lanes import Lane
from evoengine.executors.base import Executor, Trial, gpus_of, gpus_shared
from evoengine.shipping import loaded_plugins
from evoengine.types import Content, Judgement

_PATIENCE = 0.2
"""Seconds that an evaluation waits before it is worked on where a language model keeps the core busy."""


def _cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [*range(os.cpu_count() or 1)]


class Local(Executor):
    """Evaluates in worker processes ("lanes") on this machine, each with a sandbox of its own.

    A lane that dies in the middle of an evaluation (a judge can run out of memory) is started again and the
    evaluation repeated once. Lanes are out of reach of Ctrl-C and die with this process.

    With as many workers as cores, each lane keeps to a core of its own: a lane and its candidate take turns, and
    a turn costs half as much on one core (4,500 instead of 2,500 trials a second on a cheap problem). Lanes on cores
    that a language model keeps busy are then left to it, but for evaluations that have waited for a fifth of a second:
    a model of several threads is as fast as the slowest of them.

    Where the problem needs GPUs, each lane has its own, and there are no more lanes than that allows.
    """

    workers: int = Field(default_factory=lambda: len(_cores()), ge=1)

    _setup: bytes = PrivateAttr(default=b"")
    _gpus: float = PrivateAttr(default=0.0)
    _lanes: list[Lane] = PrivateAttr(default_factory=list)
    _free: _Free = PrivateAttr(default_factory=lambda: _Free())

    def prepare(self, evaluator: Any) -> None:
        import cloudpickle

        setup = Setup(path=tuple(sys.path), plugins=loaded_plugins(), evaluator=cloudpickle.dumps(evaluator))
        self._setup, self._gpus = pickled(setup), gpus_of(evaluator)

    async def __aenter__(self) -> Local:
        if not self._setup:
            raise ExecutorError("the executor holds no evaluator yet: call prepare() before it is used")
        self._free = _Free()
        cores, shares = _cores(), gpus_shared(self._gpus, self.workers)
        homes = cores if len(cores) == self.workers else [None] * self.workers
        self._lanes = [
            Lane(self._setup, home, {} if share is None else {"CUDA_VISIBLE_DEVICES": share})
            for home, share in zip(homes, shares, strict=False)  # no more lanes than GPUs, where they need some
        ]
        try:
            await asyncio.gather(*(lane.start() for lane in self._lanes))
        except BaseException:
            await self.__aexit__()
            raise
        for lane in self._lanes:
            self._free.give(lane)
        return self

    def give_way(self, cores: int) -> None:
        shared = set(_cores()[:cores])
        last = frozenset(lane for lane in self._lanes if lane.core in shared)
        self._free.last = last if len(last) < len(self._lanes) else frozenset()

    async def __aexit__(self, *exc: object) -> None:
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            lane.retire()
        await asyncio.gather(*(asyncio.to_thread(lane.wait) for lane in lanes))

    async def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        async with self._lane() as lane:
            return await lane.evaluate(content, above=above, stage=stage)

    def reserve(self) -> AbstractAsyncContextManager[Trial]:
        return self._reserve()

    @asynccontextmanager
    async def _reserve(self) -> AsyncIterator[Trial]:
        async with self._lane() as lane:
            try:
                yield lane
            finally:
                await lane.end_trials()

    @asynccontextmanager
    async def _lane(self) -> AsyncIterator[Lane]:
        if not self._lanes:
            raise ExecutorError("the executor is not open: use it within `async with`")
        lane = await self._free.take()
        try:
            yield lane
        finally:
            self._free.give(lane)


class _Free:
    """Lanes that nobody uses, and those who wait for one: the first to come are served first.

    Attributes:
        last: lanes, never all, that are only for those who have waited for long.
    """

    def __init__(self) -> None:
        self.last: frozenset[Lane] = frozenset()
        self._lanes: list[Lane] = []
        self._waiting: deque[tuple[asyncio.Future[Lane], float]] = deque()

    async def take(self) -> Lane:
        """A lane, as soon as there is one."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[Lane] = loop.create_future()
        self._waiting.append((mine, loop.time() + _PATIENCE))
        self._serve()
        if self.last and not mine.done():
            loop.call_later(_PATIENCE, self._serve)
        try:
            return await mine
        except asyncio.CancelledError:
            if not mine.cancelled():
                self.give(mine.result())
            raise

    def give(self, lane: Lane) -> None:
        """Puts a lane back, or where it is wanted."""
        self._lanes.append(lane)
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            first, until = self._waiting[0]
            if not first.cancelled():
                lane = self._next(overdue=asyncio.get_running_loop().time() >= until)
                if lane is None:
                    return
                first.set_result(lane)
            self._waiting.popleft()

    def _next(self, *, overdue: bool) -> Lane | None:
        """Of the lanes that may be used now the one that came back last: what it needs is at hand."""
        for at in range(len(self._lanes) - 1, -1, -1):
            if overdue or self._lanes[at] not in self.last:
                return self._lanes.pop(at)
        return None
