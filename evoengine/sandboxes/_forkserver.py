"""The engine's end of the warm process that candidates are forked from (`sandbox/zygote.py`)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from evoengine.errors import SandboxError
from evoengine.paths import bundled
from evoengine.sandboxes import _seatbelt
from evoengine.sandboxes._cgroup import Cgroup
from evoengine.sandboxes._tiers import SCRATCH, Walls, readable_folders
from evoengine.types import Limits

_START_SECONDS = 120.0
_REPLY_SECONDS = 30.0
_END_SECONDS = 10.0
_NOBODY = 1 << 22
"""Above every process id that Linux gives. 0 would stand for this process itself."""


@dataclass(frozen=True, slots=True)
class Child:
    """A forked process, alive or not yet reaped; `pidfd`, where there is one, belongs to whoever holds this.

    Attributes:
        pid: as the warm process knows it.
        outside: its id among the machine's processes.
    """

    pid: int
    outside: int
    pidfd: int | None

    def kill(self) -> None:
        """Kills it with its process group. Safe until it is reaped: its id cannot be anybody else's before.

        The server kills what is left after that; this ends a group that multiplies in one stroke.
        """
        if self.outside < _NOBODY:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.outside, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            if self.pidfd is None:
                os.kill(self.outside, signal.SIGKILL)
            else:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended.

    Attributes:
        status: exit status, or minus the signal's number; None when nobody could tell.
        cpu_seconds: of it and of those of its children that it waited for.
    """

    status: int | None = None
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0


class ForkServer:
    """A fresh interpreter with some modules imported, which forks a child in milliseconds.

    It ends when this end of its socket is closed, however that comes about, and takes every child along.

    Args:
        preload: modules to import once.
        walls: what it puts up around itself and its children.
        readable: folders that stay visible beside the interpreter's.
        scratch_mib: the size of a folder that its children may write to; 0 for none.

    Raises:
        SandboxError: it did not start, a wall could not be put up or does not hold, or a module cannot be imported.
    """

    def __init__(
        self, preload: Sequence[str], walls: Walls, *, readable: Sequence[str] = (), scratch_mib: int = 0
    ) -> None:
        if sys.platform not in ("linux", "darwin"):
            raise SandboxError(f"candidates in warm processes need Linux 5.3 or macOS; this is {sys.platform}")
        if scratch_mib and walls.confined and not walls.namespaces:
            raise SandboxError(
                f"tier {walls.tier} has no files for candidates, and this problem's evaluator needs some; "
                f"use T1 or T2 (see `evoengine doctor`), or --sandbox none for code that you trust."
            )
        self.walls = walls
        self._scratch: str | None = None
        self.group = Cgroup() if walls.groups else None
        self._lock = threading.Lock()
        self._broken = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._control = ours
        visible = list(dict.fromkeys([*readable_folders(), *readable]))
        try:
            self._process = subprocess.Popen(
                _command(walls, theirs.fileno(), visible),
                env=_environment(walls) | self._own_files(scratch_mib),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            ours.close()
            if self.group is not None:
                self.group.close()
            raise SandboxError(f"cannot start {sys.executable}: {error}") from error
        finally:
            theirs.close()
        try:
            if self.group is not None:
                self.group.take_in(self._process.pid)
            start = {**walls.request(), "readable": visible, "preload": list(preload), "scratch_mib": scratch_mib}
            self._ask({"start": start}, (), _START_SECONDS)
            if self.group is not None:
                self.group.settle()
        except SandboxError:
            self.close()
            raise

    def fork(self, limits: Limits, seed: int, channel: int, out: int, err: int) -> Child:
        """A child that serves `channel`, with its stdout and stderr on the other two, and the random state of a seed.

        Raises:
            SandboxError: it could not be forked.
        """
        wanted = {
            "memory_mib": limits.memory_mib,
            "cpu_seconds": limits.cpu_seconds,
            "output_mib": limits.output_mib,
            "processes": limits.processes,
            "descriptors": limits.descriptors,
            "scratch_mib": limits.scratch_mib,
        }
        if self.group is not None:
            self.group.limit(limits.memory_mib, limits.processes)
        reply, fds = self._ask({"fork": wanted, "seed": seed}, (channel, out, err))
        if len(fds) != (0 if self.walls.portable else 1):
            raise SandboxError("the fork server sent no handle of the process that it started")
        pid, pidfd = int(reply["pid"]), fds[0] if fds else None
        return Child(pid, pid if pidfd is None or not self.walls.namespaces else _outside(pidfd), pidfd)

    def reap(self, child: Child) -> Ended:
        """What became of a child that was killed or has ended, after which its id is free.

        Raises:
            SandboxError: the server has died, and the child with it.
        """
        reply, _ = self._ask({"reap": child.pid})
        return Ended(status=reply["status"], cpu_seconds=reply["cpu"], peak_mib=reply["peak_mib"])

    def close(self) -> None:
        """Ends the server and all that it started."""
        self._control.close()
        if self._broken:
            self._process.kill()
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self.group is not None:
            self.group.close()
        if self._scratch is not None:
            rmtree(self._scratch, ignore_errors=True)

    def _own_files(self, scratch_mib: int) -> dict[str, str]:
        """Where programs are told to put files; without namespaces it is a folder of this machine."""
        if not scratch_mib:
            return {}
        if not self.walls.confined:
            self._scratch = mkdtemp(prefix="evoengine-")
        place = self._scratch or SCRATCH
        return {"TMPDIR": place, "HOME": place, "PYTHONDONTWRITEBYTECODE": "1"}

    def _ask(
        self, request: dict[str, Any], fds: Sequence[int] = (), seconds: float | None = None
    ) -> tuple[dict[str, Any], list[int]]:
        with self._lock:
            try:
                if self._broken:
                    raise ConnectionError("it has been given up")
                self._control.settimeout(_REPLY_SECONDS if seconds is None else seconds)
                socket.send_fds(self._control, [json.dumps(request).encode() + b"\n"], fds)
                message, received, _, _ = socket.recv_fds(self._control, 65536, 4)
                while message and not message.endswith(b"\n"):
                    more = self._control.recv(65536)
                    message = message + more if more else b""
                if not message:
                    raise ConnectionError("it has died")
            except OSError as error:
                # A late answer would be taken for the answer to the next request.
                self._broken = True
                raise SandboxError(f"the fork server does not answer: {error}") from error
        reply = json.loads(message)
        if "error" in reply:
            for fd in received:
                os.close(fd)
            raise SandboxError(f"the fork server failed: {reply['error']}")
        return reply, received


def _command(walls: Walls, control: int, readable: Sequence[str]) -> list[str]:
    # Not -I: it would make the interpreter ignore PYTHONHASHSEED as well.
    program = bundled("sandbox") / ("portable.py" if walls.portable else "zygote.py")
    interpreter = [sys.executable, "-s", "-P", "-B", str(program), str(control)]
    return _seatbelt.command(interpreter, readable) if walls.portable and walls.confined else interpreter


def _outside(pidfd: int) -> int:
    """The id that a process has in the namespace of this one; one that nobody has when it has ended."""
    told = os.open(f"/proc/self/fdinfo/{pidfd}", os.O_RDONLY)  # read raw: this is asked once for every child
    try:
        text = os.read(told, 4096)
    finally:
        os.close(told)
    pid = int(text.partition(b"\nPid:")[2].split(None, 1)[0])
    return pid if pid > 0 else _NOBODY


def _environment(walls: Walls) -> dict[str, str]:
    """Nothing of this process's own environment but where programs are: no secret can leak from it.

    Without walls a candidate reaches the machine's GPUs, and is told which of them are its worker's.
    """
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
    return ({} if walls.confined or gpus is None else {"CUDA_VISIBLE_DEVICES": gpus}) | {
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
    }
