"""Evaluation on this machine's cores."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr

from evoengine.errors import ExecutorError
from evoengine.executors._lane import LENGTH, Setup, arguments, loaded_plugins, pickled
from evoengine.executors.base import Executor, Trial
from evoengine.types import Answer, Cause, Content, Failed, Judgement, Probe, Trials

_log = logging.getLogger(__name__)
_END_SECONDS = 10.0
_STEADY = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Makes a judge that iterates over a set, or sums in threads, come to the same result in every lane."""

_T = TypeVar("_T")


def _cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [*range(os.cpu_count() or 1)]


class Local(Executor):
    """Evaluates in worker processes ("lanes") on this machine, each with a sandbox of its own.

    A lane that dies in the middle of an evaluation (a judge can run out of memory) is started again and the
    evaluation repeated once. Lanes are out of reach of Ctrl-C and die with this process.

    With as many workers as cores, each lane keeps to a core of its own: a lane and its candidate take turns, and
    a turn costs half as much on one core (4,500 instead of 2,500 trials a second on a cheap problem).
    """

    workers: int = Field(default_factory=lambda: len(_cores()), ge=1)

    _setup: bytes = PrivateAttr(default=b"")
    _lanes: list[_Lane] = PrivateAttr(default_factory=list)
    _free: asyncio.LifoQueue[_Lane] = PrivateAttr(default_factory=asyncio.LifoQueue)

    def prepare(self, evaluator: Any) -> None:
        import cloudpickle

        setup = Setup(path=tuple(sys.path), plugins=loaded_plugins(), evaluator=cloudpickle.dumps(evaluator))
        self._setup = pickled(setup)

    async def __aenter__(self) -> Local:
        if not self._setup:
            raise ExecutorError("the executor holds no evaluator yet: call prepare() before it is used")
        self._free = asyncio.LifoQueue()
        cores = _cores()
        homes = cores if len(cores) == self.workers else [None] * self.workers
        self._lanes = [_Lane(self._setup, home) for home in homes]
        try:
            await asyncio.gather(*(lane.start() for lane in self._lanes))
        except BaseException:
            await self.__aexit__()
            raise
        for lane in self._lanes:
            self._free.put_nowait(lane)
        return self

    async def __aexit__(self, *exc: object) -> None:
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            lane.retire()
        await asyncio.gather(*(asyncio.to_thread(lane.wait) for lane in lanes))

    async def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        async with self._lane() as lane:
            return await _twice(
                lambda: lane.request("evaluate", content, above=above, stage=stage),
                lambda why: Judgement(evaluation=why, calls=1),
            )

    def reserve(self) -> AbstractAsyncContextManager[Trial]:
        return self._reserve()

    @asynccontextmanager
    async def _reserve(self) -> AsyncIterator[Trial]:
        async with self._lane() as lane:
            try:
                yield _LaneTrial(lane)
            finally:
                if lane.alive:
                    await _twice(lambda: lane.request("end_trials"), lambda _: None)

    @asynccontextmanager
    async def _lane(self) -> AsyncIterator[_Lane]:
        if not self._lanes:
            raise ExecutorError("the executor is not open: use it within `async with`")
        lane = await self._free.get()
        try:
            yield lane
        finally:
            self._free.put_nowait(lane)


class _LaneTrial:
    def __init__(self, lane: _Lane) -> None:
        self._lane = lane

    async def answer(self, request: Trials | Probe) -> Answer:
        def failed(why: Failed) -> Answer:
            return (why,) * len(request.points) if isinstance(request, Trials) else why

        return await _twice(lambda: self._lane.request("answer", request), failed)


class _Died(Exception):
    """A lane went away before it answered."""


class _Lane:
    """One worker process; it is started again by the first request after its death."""

    def __init__(self, setup: bytes, core: int | None) -> None:
        self._setup = setup
        self._core = core
        self._retired = False
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._busy = False

    @property
    def alive(self) -> bool:
        """Whether it can be asked without being started first."""
        return self._connection is not None

    async def start(self) -> None:
        """Starts the process and has it unpickle its evaluator.

        Raises:
            ExecutorError: it cannot, or the executor has been closed.
        """
        if self._retired:
            raise ExecutorError("the executor was closed before the evaluation ended")
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._connection = ours
        try:
            self._process = subprocess.Popen(
                arguments(theirs.fileno()),
                env={**_STEADY, **os.environ, "PYTHONPATH": os.pathsep.join(map(_shown, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a judge prints must not mix with the results on stdout
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            if self._core is not None:
                os.sched_setaffinity(self._process.pid, {self._core})
        except OSError as error:
            self.end()
            raise ExecutorError(f"cannot start a worker process: {error}") from error
        finally:
            theirs.close()
        try:
            await self._exchange(self._setup)
        except _Died:
            raise ExecutorError("a worker process ended while it was being set up; see its output above") from None
        except BaseException:
            self.end()
            raise

    async def request(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What the evaluator's method returns.

        Raises:
            _Died: the process ended first.
            EvoengineError: the engine's own failure in there.
        """
        if not self.alive:
            await self.start()
        return await self._exchange(pickled((method, args, kwargs)))

    def retire(self) -> None:
        """Tells the process to end, for good. One that is in the middle of something is killed."""
        self._retired = True
        if not self._busy:
            self._hang_up()
        elif self._process is not None:
            # Its asker, who still listens, closes the connection.
            self._process.kill()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def wait(self) -> None:
        """Waits for its end, and brings it about when that takes long."""
        process = self._process
        if process is not None:
            try:
                process.wait(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def end(self) -> None:
        """Ends the process at once. What it runs in a sandbox ends with it."""
        self._hang_up()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def _exchange(self, message: bytes) -> Any:
        loop = asyncio.get_running_loop()
        connection = self._connection
        if connection is None:
            raise _Died
        self._busy = True
        try:
            await loop.sock_sendall(connection, message)
            head = await _exactly(loop, connection, LENGTH.size)
            answer = await _exactly(loop, connection, LENGTH.unpack(head)[0])
        except (OSError, _Died):
            self.end()
            raise _Died from None
        except BaseException:
            # Cancelled: the answer to this would be taken for the answer to the next request.
            self.end()
            raise
        finally:
            self._busy = False
        well, result = pickle.loads(answer)
        if not well:
            raise result
        return result


async def _exactly(loop: asyncio.AbstractEventLoop, connection: socket.socket, size: int) -> bytes:
    held = bytearray()
    while len(held) < size:
        data = await loop.sock_recv(connection, min(size - len(held), 1 << 20))
        if not data:
            raise _Died
        held += data
    return bytes(held)


async def _twice(attempt: Callable[[], Awaitable[_T]], given_up: Callable[[Failed], _T]) -> _T:
    """The attempt's result; of a second one if a lane died during the first."""
    try:
        return await attempt()
    except _Died:
        _log.warning("a worker process died during an evaluation; trying once more")
    try:
        return await attempt()
    except _Died:
        return given_up(
            Failed(cause=Cause.UNJUDGED, feedback="the judge's process died, twice, during this evaluation")
        )


def _shown(entry: str) -> str:
    return entry or os.getcwd()
