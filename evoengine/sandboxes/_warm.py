"""Sandboxes that fork their processes from warm ones."""

from __future__ import annotations

import threading
from abc import abstractmethod
from dataclasses import replace
from typing import Any, TypeAlias

from pydantic import Field, PrivateAttr

from evoengine.errors import SandboxError
from evoengine.sandboxes._forkserver import ForkServer
from evoengine.sandboxes._session import ForkedSession
from evoengine.sandboxes._tiers import Walls
from evoengine.sandboxes.base import Job, Sandbox, Session

_Kind: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], int]


class WarmSandbox(Sandbox):
    """Keeps warm processes, each for one session at a time, and hands idle ones out again.

    Attributes:
        memory_mib: what any candidate may use at most; the problem's own limit holds where it is lower.
    """

    memory_mib: int | None = Field(default=None, ge=1)

    _idle: dict[_Kind, list[ForkServer]] = PrivateAttr(default_factory=dict)
    _busy: set[ForkServer] = PrivateAttr(default_factory=set)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @abstractmethod
    def _walls(self) -> Walls:
        """What the warm processes put up."""

    def open(self, job: Job) -> Session:
        if self.memory_mib is not None and job.limits.memory_mib > self.memory_mib:
            job = replace(job, limits=replace(job.limits, memory_mib=self.memory_mib))
        with self._lock:  # `run` may be called from several threads
            idle = self._idle.get(_kind(job))
            server = idle.pop() if idle else None
        if server is not None:
            try:
                return self._opened(server, job)
            except SandboxError:
                pass  # An earlier candidate may have killed the warm process: one fresh start, then it is our failure.
        server = ForkServer(job.preload, self._walls(), readable=job.readable, scratch_mib=job.limits.scratch_mib)
        return self._opened(server, job)

    def shutdown(self) -> None:
        with self._lock:
            servers = [*self._busy, *(server for idle in self._idle.values() for server in idle)]
            self._idle.clear()
            self._busy.clear()
        for server in servers:
            server.close()

    def _opened(self, server: ForkServer, job: Job) -> Session:
        with self._lock:
            self._busy.add(server)
        try:
            return ForkedSession(server, job, self._free)
        except SandboxError:
            self._free(server, job, False)
            raise

    def _free(self, server: ForkServer, job: Job, alive: bool) -> None:
        """Takes a warm process back when its session is over, unless it died or everything was shut down.

        One with files serves one session: the next candidate must not find what this one wrote.
        """
        with self._lock:
            kept = alive and server in self._busy and not job.limits.scratch_mib
            self._busy.discard(server)
            if kept:
                self._idle.setdefault(_kind(job), []).append(server)
        if not kept:
            server.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _with_settings, (type(self), self.settings())


def _kind(job: Job) -> _Kind:
    """What a warm process must have been started with to serve a job."""
    return job.preload, job.readable, job.limits.scratch_mib


def _with_settings(kind: type[WarmSandbox], settings: dict[str, Any]) -> WarmSandbox:
    return kind(**settings)
