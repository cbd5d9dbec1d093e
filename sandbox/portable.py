"""The warm process where there is no Linux: nothing here calls the kernel by ctypes or looks into /proc.

Written for macOS from its documentation, and never run there. The walls are Seatbelt's, which the engine starts this
process behind and which its children inherit; a child adds limits and closed descriptors. What is different:

- There is no handle of a process but its id, and no way to be killed with one's parent: this process ends when its
  socket closes, and kills its child; the engine kills by id before it lets this process reap.
- Memory is not held by the kernel: RLIMIT_AS has no effect there. The engine looks at what is in use from time to time.
- Orphans go to the first process of the machine and would not be found again, so no candidate may start processes.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any


def _zygote() -> Any:
    spec = importlib.util.spec_from_file_location("evoengine_zygote", Path(__file__).with_name("zygote.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"zygote.py is missing beside {__file__}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from sandbox import zygote
else:
    zygote = _zygote()


class Portable(zygote.Zygote):
    """Forks children by what every Unix has."""

    def _enclose(self, wanted: dict[str, Any]) -> bool:
        return bool(wanted["walls"]) and not wanted["without"]

    def _fork(self, limits: dict[str, Any], seed: int, fds: list[int]) -> Any:
        if limits["processes"]:
            raise ValueError("nothing here finds the processes that a candidate leaves behind: it may have none")
        return super()._fork(limits, seed, fds)

    def _forked(self) -> int:
        pid = os.fork()
        if pid == 0:
            self._runner.reseed(self._seed)  # which `random` has just drawn from the machine
        return pid

    def _handles(self, pid: int) -> list[int]:  # noqa: ARG002
        return []

    def _confine(self, fds: list[int]) -> None:
        self._keep_only(fds, None)
        if os.getppid() != self._pid:
            raise OSError("the warm process is gone")
        self._walls.bound(self._bounds)

    def _wanted_bounds(self, limits: dict[str, Any]) -> dict[int, int]:
        return {
            resource.RLIMIT_FSIZE: int(limits["scratch_mib"]) * 2**20,
            resource.RLIMIT_NOFILE: int(limits["descriptors"]),
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_NPROC: 0,
        }

    def _mapped(self) -> int:
        return 0

    def _attempts(self) -> dict[str, Any]:
        wall = self._walls.attempts()
        return {
            **{what: wall[what] for what in ("open a file of the machine", "write a file")},
            "send over the network": _sent,
            "start a process": _started,
        }

    def _sweep(self) -> None:
        if self._job:
            os.kill(self._job, signal.SIGKILL)
            os.waitpid(self._job, 0)

    def end(self) -> None:
        self._sweep()


def _sent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("127.0.0.1", 9))


def _started() -> None:
    try:
        pid = os.fork()
    except BlockingIOError as error:  # the limit on processes, which does not hold root
        raise OSError(errno.EPERM, "no more processes") from error
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    zygote.main(Portable)
