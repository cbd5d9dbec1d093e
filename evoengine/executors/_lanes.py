"""Lanes, as whoever asks them sees them."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from evoengine.errors import ExecutorError
from evoengine.executors._lane import LENGTH, arguments, pickled
from evoengine.types import Answer, Cause, Content, Failed, Judgement, Probe, Trials

_log = logging.getLogger(__name__)
_END_SECONDS = 10.0
STEADY = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Makes a judge that iterates over a set, or sums in threads, come to the same result in every lane."""
DIED_TWICE = Failed(cause=Cause.UNJUDGED, feedback="the judge's process died, twice, during this evaluation")
"""What becomes of a candidate whose judge ends its own process."""

_T = TypeVar("_T")


class _Died(Exception):
    """A lane went away before it answered."""


class Lane:
    """One worker process; it is started again by the first request after its death.

    One that dies in the middle of an evaluation is started again, and the evaluation repeated once: what kills it a
    second time is `UNJUDGED`.

    Args:
        setup: the first message, a pickled `Setup`.
        core: the one that it keeps to; None for any.
        environment: variables that it has beside those of this process.
    """

    def __init__(self, setup: bytes, core: int | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._setup = setup
        self.core = core
        self._environment = dict(environment or {})
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
                env={
                    **STEADY,
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(map(_shown, sys.path)),
                    **self._environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a judge prints must not mix with the results on stdout
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            if self.core is not None:
                os.sched_setaffinity(self._process.pid, {self.core})
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

    async def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        """As `Executor.evaluate`."""
        return await _twice(
            lambda: self._request("evaluate", content, above=above, stage=stage),
            lambda why: Judgement(evaluation=why, calls=1),
        )

    async def answer(self, request: Trials | Probe) -> Answer:
        """As `Trial.answer`."""
        return await _twice(lambda: self._request("answer", request), lambda why: unanswered(request, why))

    async def end_trials(self) -> None:
        """Ends a conversation."""
        if self.alive:
            await _twice(lambda: self._request("end_trials"), lambda _: None)

    async def _request(self, method: str, *args: Any, **kwargs: Any) -> Any:
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


def unanswered(request: Trials | Probe, why: Failed) -> Answer:
    """What a request comes to that nobody could answer."""
    return (why,) * len(request.points) if isinstance(request, Trials) else why


async def _twice(attempt: Callable[[], Awaitable[_T]], given_up: Callable[[Failed], _T]) -> _T:
    """The attempt's result; of a second one if a lane died during the first."""
    try:
        return await attempt()
    except _Died:
        _log.warning("a worker process died during an evaluation; trying once more")
    try:
        return await attempt()
    except _Died:
        return given_up(DIED_TWICE)


def _shown(entry: str) -> str:
    return entry or os.getcwd()
