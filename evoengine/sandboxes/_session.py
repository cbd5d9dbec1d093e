"""A session: one forked process, its limits watched from outside, and what it says read as hostile."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from evoengine.errors import SandboxError
from evoengine.sandboxes._forkserver import Ended, ForkServer
from evoengine.sandboxes._frames import FloodError, Frame, FrameError, Inbox, answers, encoded, encoded_calls
from evoengine.sandboxes.base import CandidateError, Job, Outcome, Session
from evoengine.types import Cause

_SETUP_SECONDS = 60.0
_OUT_OF_MEMORY, _SETUP_FAILED = 98, 97
_LOOK_SECONDS = 0.5
_CHUNK = 65536
"""Read at once. From 128 KiB on, the C library maps and unmaps memory for every read: 70 us more for each call."""
_INTERPRETER_MIB = 64
"""What an interpreter with numpy holds before it has run anything."""
_SLACK_BYTES = 2**22
_PRINTED_BYTES = 65536
_DRAINED_BYTES = 2**20
_FEEDBACK_CHARS = 4096
_CAUSES = {
    str(cause): cause
    for cause in (
        Cause.OUT_OF_MEMORY,
        Cause.OUT_OF_PROCESSES,
        Cause.OUT_OF_DESCRIPTORS,
        Cause.FLOODED,
        Cause.FORBIDDEN,
        Cause.REJECTED,
    )
}

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class ForkedSession(Session):
    """One forked process with one program in it. Not for several threads at once.

    Args:
        server: the warm process, of which this is the only child.
        job: what to run.
        done: called at the end with the server, the job, and whether the server is alive.

    Raises:
        SandboxError: no process could be made.
    """

    def __init__(self, server: ForkServer, job: Job, done: Callable[[ForkServer, Job, bool], None]) -> None:
        self._server = server
        self._done = done
        self._job = job
        self._outcome: Outcome | None = None
        self._sent_program = False
        self._inbox = Inbox(int(job.limits.output_mib * 2**20) + _SLACK_BYTES)
        self._channel, theirs = socket.socketpair()
        self._channel.setblocking(False)
        out, out_theirs = os.pipe()
        err, err_theirs = os.pipe()
        self._printed: dict[int, bytearray] = {out: bytearray(), err: bytearray()}
        self._out, self._err = out, err
        self._left = dict.fromkeys((out, err), int(job.limits.printed_mib * 2**20))
        """Bytes that may still be printed, by descriptor."""
        try:
            self._child = server.fork(job.limits, job.seed, theirs.fileno(), out_theirs, err_theirs)
        except SandboxError:
            self._channel.close()
            os.close(out)
            os.close(err)
            raise
        finally:
            theirs.close()
            os.close(out_theirs)
            os.close(err_theirs)
        self._clock = (~self._child.outside << 3) | 2  # the kernel's name for this process's CPU clock
        self._poll = select.poll()
        for fd in (self._channel.fileno(), out, err, self._child.pidfd):
            if fd is not None:
                os.set_blocking(fd, False)
                self._poll.register(fd, select.POLLIN)
        self._began = self._since = time.monotonic()
        self._cpu_before = self._cpu_seen = 0.0
        self._await_ready()
        self._began = time.monotonic()

    @property
    def outside(self) -> int:
        """The process's id among those of the machine."""
        return self._child.outside

    def load(self, knobs: Sequence[float] = ()) -> None:
        request: dict[str, Any] = {"load": [float(knob) for knob in knobs]}
        if not self._sent_program:
            program = self._job.program
            request |= {"program": dict(program.files), "main": program.main}
            self._sent_program = True
        if self._server.walls.portable:
            self._look()
        self._since, self._cpu_before = time.monotonic(), self._cpu()
        frame = self._exchange(encoded(request))
        if frame.header != {"loaded": True}:
            self._fail(Cause.REJECTED, "the process sent something else than that it has loaded the program")

    def batch(self, calls: Sequence[Sequence[Any]], entry: str | None = None, *, plain: bool = False) -> list[Any]:
        if not calls:
            return []
        request = encoded_calls(calls, self._job.entry if entry is None else entry, plain)
        found = self._answers(self._exchange(request), len(calls), plain)
        while len(found) < len(calls):
            found += self._answers(self._next(), len(calls) - len(found), plain)
        return found

    def close(self) -> Outcome:
        if self._outcome is None:
            wall = time.monotonic() - self._began
            self._child.kill()
            self._channel.close()
            for fd in self._printed:
                self._drain(fd)
                os.close(fd)
            alive = True
            try:
                ended = self._server.reap(self._child)
            except SandboxError:
                # The warm process has died, and its death has killed the child.
                ended, alive = Ended(), False
            if self._child.pidfd is not None:
                os.close(self._child.pidfd)
            self._ended = ended
            group = self._server.group
            self._ran_out = group is not None and group.ran_out()
            self._outcome = Outcome(
                cpu_seconds=ended.cpu_seconds,
                wall_seconds=wall,
                peak_mib=ended.peak_mib if group is None else group.peak_mib,
                tier=self._server.walls.tier,
                stdout=_cleaned(bytes(self._printed[self._out])),
                stderr=_cleaned(bytes(self._printed[self._err])),
            )
            self._done(self._server, self._job, alive)
        return self._outcome

    def _await_ready(self) -> None:
        """Nothing of the candidate has run yet: what fails here is the sandbox."""
        try:
            frame = self._next(wall_seconds=_SETUP_SECONDS)
        except CandidateError as error:
            raise SandboxError(f"a new process did not get ready: {error}") from None
        if frame.header != {"ready": True}:
            self.close()
            raise SandboxError("a new process did not say that it is ready")

    def _exchange(self, request: bytes) -> Frame:
        """Sends a request and gives the first frame of the answer."""
        if self._outcome is not None:
            raise SandboxError("the session is over: open another one")
        self._inbox.restart()
        return self._next(request=request)

    def _next(self, wall_seconds: float | None = None, request: bytes = b"") -> Frame:
        """The next frame from the child, while the request is sent to it; kills it when a limit is reached."""
        left = memoryview(request)
        channel = self._channel.fileno()
        while True:
            left = self._send(left)
            frame = self._received()
            if frame is not None:
                self._check_memory()
                return frame
            if left:
                self._poll.modify(channel, select.POLLIN | select.POLLOUT)
            events = dict(self._poll.poll(self._patience(wall_seconds) * 1000))
            if left:
                self._poll.modify(channel, select.POLLIN)
            over = self._child.pidfd in events
            if channel in events or over:
                over = not self._receive() or over
            for fd in self._printed:
                if fd in events:
                    self._drain(fd)
            self._check_printed()
            if self._server.walls.portable and not events:
                self._look()
            if over:
                while self._receive(ended=True):
                    pass
                frame = self._received()
                if frame is not None:
                    return frame
                self._died()

    def _send(self, left: memoryview) -> memoryview:
        while left:
            try:
                left = left[self._channel.send(left) :]
            except BlockingIOError:
                break
            except OSError:  # it has gone; reading tells how
                return memoryview(b"")
        return left

    def _receive(self, ended: bool = False) -> bool:
        """Takes in what has arrived; False when nothing more can come, or would after the process has ended."""
        try:
            data = self._channel.recv(_CHUNK)
        except BlockingIOError:
            return not ended
        except OSError:
            return False
        self._inbox.feed(data)
        return bool(data) and not (ended and self._inbox.full)

    def _received(self) -> Frame | None:
        try:
            frame = self._inbox.next()
        except FloodError as error:
            self._fail(Cause.FLOODED, f"too much came back: {error}")
        except FrameError as error:
            self._fail(Cause.REJECTED, f"what came back is not plain data: {error}")
        if frame is not None and isinstance(frame.header, dict) and "failed" in frame.header:
            cause = _CAUSES.get(str(frame.header["failed"]), Cause.CRASHED)
            self._fail(cause, str(frame.header.get("feedback", "")))
        return frame

    def _answers(self, frame: Frame, most: int, plain: bool) -> list[Any]:
        try:
            return answers(frame, most, plain=plain)
        except FrameError as error:
            self._fail(Cause.REJECTED, f"what came back is not plain data: {error}")

    def _patience(self, wall_seconds: float | None) -> float:
        """Seconds until a limit may have been reached.

        Raises:
            CandidateError: one has.
        """
        limits = self._job.limits
        wall = limits.wall_seconds if wall_seconds is None else wall_seconds
        wall_left = wall - (time.monotonic() - self._since)
        if wall_left <= 0:
            self._fail(Cause.STALLED, f"took longer than {wall:g} s")
        if wall_seconds is not None:  # being set up: not the candidate's time
            return min(wall_left, _LOOK_SECONDS)
        cpu_left = limits.cpu_seconds - (self._cpu() - self._cpu_before)
        if cpu_left <= 0:
            self._fail(Cause.TIMED_OUT, f"used more than {limits.cpu_seconds:g} s of CPU time")
        return max(min(wall_left, cpu_left, _LOOK_SECONDS), 0.001)

    def _cpu(self) -> float:
        """CPU seconds that the process and its threads have used."""
        if self._server.walls.portable:
            return self._cpu_seen
        try:
            return time.clock_gettime(self._clock)
        except OSError:  # it has ended; the poll tells
            return self._cpu_before

    def _drain(self, fd: int) -> None:
        """Keeps the first part of what was printed, and throws away the rest, in bounded time."""
        kept = self._printed[fd]
        for _ in range(_DRAINED_BYTES // _PRINTED_BYTES):
            try:
                data = os.read(fd, _PRINTED_BYTES)
            except BlockingIOError:
                return
            if not data:
                with suppress(KeyError):
                    self._poll.unregister(fd)
                return
            self._left[fd] -= len(data)
            kept += data[: _PRINTED_BYTES - len(kept)]

    def _check_printed(self) -> None:
        if min(self._left.values()) < 0:
            self._fail(Cause.FLOODED, f"printed more than {self._job.limits.printed_mib:g} MiB")

    def _check_memory(self) -> None:
        """Where there are several processes, the kernel may have killed another than the one that answers."""
        group = self._server.group
        if self._job.limits.processes and group is not None and group.ran_out():
            self._fail(Cause.OUT_OF_MEMORY, "the kernel killed one of its processes for want of memory")

    def _look(self) -> None:
        """Where the kernel neither holds memory nor has a clock for a process: what is in use, as `ps` tells it."""
        asked = ["/bin/ps", "-o", "rss=,time=", "-p", str(self._child.outside)]
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
        if len(told) == 2:  # otherwise it has ended
            used, self._cpu_seen = int(told[0]) / 2**10, _seconds(told[1])
            if used > self._job.limits.memory_mib + _INTERPRETER_MIB:
                self._fail(Cause.OUT_OF_MEMORY, f"{used:.0f} MiB are in use")

    def _died(self) -> NoReturn:
        """Says why the process is gone, or does not listen any more."""
        self.close()
        status = self._ended.status
        match status:
            case None:
                self._fail(Cause.CRASHED, "the process that it was forked from was killed")
            case _ if self._ran_out or status == _OUT_OF_MEMORY:
                self._fail(Cause.OUT_OF_MEMORY, "killed by the kernel" if self._ran_out else "MemoryError")
            case _ if status == _SETUP_FAILED and not self._sent_program:
                raise SandboxError("a new process could not put up its walls")
            case _ if (
                status == -signal.SIGKILL
                and self._server.group is None
                and self._ended.peak_mib > self._job.limits.memory_mib / 2
            ):
                # A kill leaves no trace of who sent it; with this much in use it was the kernel.
                self._fail(Cause.OUT_OF_MEMORY, "killed while it held much memory")
            case _ if status == -signal.SIGXCPU:
                self._fail(Cause.TIMED_OUT, "ran over the kernel's limit on CPU time")
            case _ if status == -signal.SIGKILL:
                self._fail(Cause.CRASHED, "its process was killed, or closed its connection")
            case _ if status < 0:
                self._fail(Cause.CRASHED, f"its process died of {signal.Signals(-status).name}")
        self._fail(Cause.CRASHED, f"its process ended itself with status {status}")

    def _fail(self, cause: Cause, feedback: str) -> NoReturn:
        self.close()
        raise CandidateError(cause, _cleaned(feedback.encode("utf-8", "backslashreplace"))[-_FEEDBACK_CHARS:])


def _seconds(told: str) -> float:
    """What a time such as "1-02:03:04" or "3:04.05" comes to."""
    days, _, rest = told.rpartition("-")
    found = 0.0
    for part in rest.split(":"):
        found = 60 * found + float(part)
    return 86400 * int(days or 0) + found


def _cleaned(printed: bytes) -> str:
    """Text without what could steer a terminal or hide from a reader."""
    return _CONTROLS.sub("", _ESCAPES.sub("", printed.decode("utf-8", "backslashreplace")))
