"""Evaluation in this process, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from typing import Any

from pydantic import PrivateAttr

from evoengine.errors import ExecutorError
from evoengine.executors.base import Evaluates, Executor, Trial, gpus_of, gpus_shared
from evoengine.types import Answer, Content, Judgement, Probe, Trials


class Inline(Executor):
    """Evaluates in this process, which waits meanwhile: for tests, for measuring, and for cheap trusted judges."""

    @cached_property
    def _evaluator(self) -> Evaluates | None:  # cached properties are read ten times faster than private attributes
        return None

    _reserved: asyncio.Lock = PrivateAttr(default_factory=asyncio.Lock)

    def prepare(self, evaluator: Any) -> None:
        self._evaluator = evaluator

    async def __aenter__(self) -> Inline:
        if self._evaluator is not None:
            gpus_shared(gpus_of(self._evaluator), 1)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._evaluator is not None:
            self._evaluator.close()

    async def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        return self._held().evaluate(content, above=above, stage=stage)

    def reserve(self) -> AbstractAsyncContextManager[Trial]:
        return self._reserve()

    @asynccontextmanager
    async def _reserve(self) -> AsyncIterator[Trial]:
        evaluator = self._held()
        async with self._reserved:
            try:
                yield _InlineTrial(evaluator)
            finally:
                evaluator.end_trials()

    def _held(self) -> Evaluates:
        if self._evaluator is None:
            raise ExecutorError("the executor holds no evaluator yet: call prepare() before it is used")
        return self._evaluator


class _InlineTrial:
    def __init__(self, evaluator: Evaluates) -> None:
        self._evaluator = evaluator

    async def answer(self, request: Trials | Probe) -> Answer:
        return self._evaluator.answer(request)
