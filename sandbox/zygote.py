"""The warm process that candidates are forked from. Runs beside the engine, never inside it.

Started as `python zygote.py FD` in `/` with a clean environment, FD being a SOCK_SEQPACKET socket to the engine.
It is single-threaded, holds no secret and never reads what a candidate or a model wrote: the program goes
from the engine straight to the child. Requests are small JSON objects with file descriptors:

    {"preload": [names]}                 -> {"ready": true}            modules imported once, for all children
    {"fork": limits} + [channel, out, err] -> {"pid": n} + [pidfd]
    {"reap": pid}                        -> {"status": n, "cpu": s, "peak_mib": m}

A request that cannot be met is answered with {"error": text}. When the engine goes away, so does
everything below this process.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import importlib
import importlib.util
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_FIRST_FREE = 4
_SETUP_FAILED = 97
_SWEEPS = 1000

_libc = ctypes.CDLL(None, use_errno=True)


def _sibling(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"evoengine_{name}", Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"{name}.py is missing beside {__file__}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Zygote:
    """Forks children on request and reaps them when told to.

    The engine kills a child before it asks for it to be reaped, so that the process id it kills is never
    one that was given to somebody else in between.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._runner = _sibling("runner")
        self._jobs: set[int] = set()
        self._pid = os.getpid()
        self._address_space = 0

    def serve(self) -> None:
        """Answers requests until the engine closes its end."""
        while True:
            message, fds, _, _ = socket.recv_fds(self._control, 65536, 8)
            if not message:
                return
            try:
                reply, sent = self._answer(json.loads(message), fds)
            except (OSError, ImportError, ValueError) as error:
                reply, sent = {"error": f"{type(error).__name__}: {error}"}, []
            for fd in fds:
                os.close(fd)
            socket.send_fds(self._control, [json.dumps(reply).encode()], sent)
            for fd in sent:
                os.close(fd)

    def end(self) -> None:
        """Kills whatever is left below this process."""
        self._jobs.clear()
        self._sweep()

    def _answer(self, request: dict[str, Any], fds: list[int]) -> tuple[dict[str, Any], list[int]]:
        if "fork" in request:
            return self._fork(request["fork"], fds)
        if "reap" in request:
            return self._reap(request["reap"]), []
        return self._preload(request["preload"]), []

    def _preload(self, names: list[str]) -> dict[str, Any]:
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:  # whatever a third party's module does when it is imported
                return {"error": f"cannot preload {name!r}: {type(error).__name__}: {error}"}
        self._runner.warm()
        gc.collect()
        gc.freeze()
        with open("/proc/self/statm", encoding="ascii") as statm:
            self._address_space = int(statm.read().split()[0]) * resource.getpagesize()
        return {"ready": True}

    def _fork(self, limits: dict[str, Any], fds: list[int]) -> tuple[dict[str, Any], list[int]]:
        pid = os.fork()
        if pid == 0:
            self._become_child(limits, fds)
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:  # an old kernel, or no descriptors left
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        self._jobs.add(pid)
        return {"pid": pid}, [pidfd]

    def _become_child(self, limits: dict[str, Any], fds: list[int]) -> None:
        """Never returns."""
        try:
            os.setsid()
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != self._pid:
                os._exit(_SETUP_FAILED)
            _keep_only(fds)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            _limit(self._address_space, limits)
            confine()
        except BaseException:  # nothing of the candidate has run yet: the engine reads this status as its own failure
            os._exit(_SETUP_FAILED)
        try:
            self._runner.serve(_FIRST_FREE - 1, limits)
        finally:
            os._exit(1)

    def _reap(self, pid: int) -> dict[str, Any]:
        if pid not in self._jobs:
            return {"error": f"{pid} is not a child"}
        _, status, used = os.wait4(pid, 0)
        self._jobs.discard(pid)
        self._sweep()
        return {
            "status": os.waitstatus_to_exitcode(status),
            "cpu": used.ru_utime + used.ru_stime,
            "peak_mib": used.ru_maxrss / 1024,
        }

    def _sweep(self) -> None:
        """Kills what candidates left behind: as a subreaper, this process inherits their orphans."""
        for _ in range(_SWEEPS):
            if not self._jobs:
                try:
                    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                except ChildProcessError:
                    return
            strays = _children() - self._jobs
            if not strays:
                return
            for pid in strays:
                os.kill(pid, signal.SIGKILL)
            for pid in strays:
                os.waitpid(pid, 0)


def confine() -> None:
    """The place for what else a child gives up before it reads the candidate's program.

    Landlock, seccomp and the like are called here, last: after the descriptors and limits are set, and
    before any byte of the candidate has entered the process.
    """


def _keep_only(fds: list[int]) -> None:
    """Leaves /dev/null, stdout, stderr and the channel, as descriptors 0 to 3."""
    channel, out, err = fds
    wanted = (os.open(os.devnull, os.O_RDONLY), out, err, channel)
    # First out of the way of 0 to 3, where some of them may already be.
    for place, fd in enumerate([fcntl.fcntl(fd, fcntl.F_DUPFD, 16) for fd in wanted]):
        os.dup2(fd, place)
    os.closerange(_FIRST_FREE, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limit(address_space: int, limits: dict[str, Any]) -> None:
    """Sets the kernel's limits. What the zygote had mapped already does not count against the candidate."""
    memory = address_space + int(limits["memory_mib"]) * 2**20
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        # The kernel does not enforce this one for uid 0; what root forks is killed afterwards.
        (resource.RLIMIT_NPROC, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _children() -> set[int]:
    """Process ids whose parent is this process."""
    me = os.getpid()
    try:
        with open(f"/proc/self/task/{me}/children", encoding="ascii") as listed:
            return {int(pid) for pid in listed.read().split()}
    except FileNotFoundError:
        return {int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit() and _parent(entry.name) == me}


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return -1


def main() -> None:
    """Serves the socket whose descriptor is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    control = socket.socket(fileno=int(sys.argv[1]))
    zygote = Zygote(control)
    try:
        zygote.serve()
    except OSError:
        pass
    finally:
        zygote.end()


if __name__ == "__main__":
    main()
