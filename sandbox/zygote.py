"""The warm process that candidates are forked from. Runs beside the engine, never inside it.

Started as `python zygote.py FD` in `/` with a clean environment, FD being a stream socket to the engine.
It is single-threaded, holds no secret and never reads what a candidate or a model wrote: the program goes
from the engine straight to the child. Requests are lines of JSON with file descriptors:

    {"start": {"namespaces": "root" | "user" | "", "walls": bool, "readable": [folders], "preload": [modules],
               "without": [layers], "user": bool, "sacrifice": bool, "scratch_mib": n}}
                                                         -> {"ready": true, "user": n | null}
    {"fork": limits, "seed": n} + [channel, out, err]    -> {"pid": n} + [pidfd, where there is one]
    {"reap": pid}                                        -> {"status": n, "cpu": s, "peak_mib": m}

The first must be the first. There is one child at a time. A request that cannot be met is answered with
{"error": text}. When the engine goes away, so does everything below this process.
"""

from __future__ import annotations

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

_CHANNEL, _RULES = 3, 4
_SETUP_FAILED = 97
_MOST_DESCRIPTORS = 1 << 20
_RSS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10
_SWEEPS = 1000
# Of CPython's allocator of small objects: sizes it tells apart and the largest, its pools and their headers.
_STEP, _SMALL, _POOL, _POOL_HEADER = 16, 512, 1 << 14, 48
_GAPS = 1 << 11
"""More of one size than there can be: where pools are made in another way."""
_BYTES = sys.getsizeof(b"")


def sibling(name: str) -> Any:
    """The module of that name that lies beside this one; the folder itself is not on the path."""
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
        _occupy()
        self._control = control
        self._walls = sibling("walls")
        self._kernel: Any = None
        self._runner: Any = None
        self._proc = -1
        self._confinement: Any = None
        self._alone = self._sacrifice = self._scratch = False
        self._user: int | None = None
        self._job = 0
        self._pid = os.getpid()
        self._unique = int.from_bytes(os.urandom(4), "little")
        self._address_space = 0
        self._ballast: list[object] = []
        self._descriptors = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _MOST_DESCRIPTORS)
        self._limits: dict[str, Any] = {}
        self._bounds: dict[int, tuple[int, int]] = {}
        self._seed: int | None = None

    def serve(self) -> None:
        """Answers requests until the engine closes its end."""
        while True:
            message, fds = self._received()
            if not message:
                return
            try:
                reply, sent = self._answer(json.loads(message), fds)
            except (OSError, ImportError, ValueError) as error:
                reply, sent = {"error": f"{type(error).__name__}: {error}"}, []
            for fd in fds:
                os.close(fd)
            socket.send_fds(self._control, [json.dumps(reply).encode() + b"\n"], sent)
            for fd in sent:
                os.close(fd)

    def _received(self) -> tuple[bytes, list[int]]:
        """The next request; empty when the engine has closed its end."""
        message, fds, _, _ = socket.recv_fds(self._control, 65536, 8)
        while message and not message.endswith(b"\n"):
            more = self._control.recv(65536)
            if not more:
                return b"", fds
            message += more
        return message, fds

    def end(self) -> None:
        """Kills whatever is left below this process."""
        self._job = 0
        self._sweep()

    def _answer(self, request: dict[str, Any], fds: list[int]) -> tuple[dict[str, Any], list[int]]:
        if "fork" in request:
            return self._fork(request["fork"], request["seed"], fds)
        if "reap" in request:
            return self._reap(request["reap"]), []
        return self._start(request["start"]), []

    def _start(self, wanted: dict[str, Any]) -> dict[str, Any]:
        os.umask(0o022)
        proving = self._enclose(wanted)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):  # opened by whoever started this: children get one from inside
            os.dup2(null, fd)
        os.close(null)
        self._preload(wanted["preload"])
        if proving:
            self._prove()
        return {"ready": True, "user": self._user}

    def _enclose(self, wanted: dict[str, Any]) -> bool:
        """Puts up what is put up once; whether there are walls to be proved."""
        walls, as_root = self._walls, wanted["namespaces"] == "root"
        self._kernel = sibling("kernel")
        self._proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
        readable = walls.readable_here(wanted["readable"])
        if wanted["namespaces"]:
            # who comes out is the first process of the new namespaces; paths then lead to what is shown of them
            walls.enter(self._kernel, readable, as_root=as_root, scratch_mib=wanted["scratch_mib"])
            self._alone, self._pid = True, os.getpid()
        else:
            self._kernel.prctl(self._kernel.PR_SET_CHILD_SUBREAPER, 1)
        if wanted["user"] and self._kernel.capabilities() >= walls.CHANGING_USER:
            self._user = walls.spare_user(readable, self._of_proc("self/uid_map"), self._unique)
        self._sacrifice, self._scratch = wanted["sacrifice"], bool(wanted["scratch_mib"])
        if wanted["walls"]:
            self._confinement = walls.Confinement(
                self._kernel, sibling("seccomp"), readable, user=self._user, without=wanted["without"],
                alone=self._alone, scratch=self._scratch,
            )  # fmt: skip
            self._kernel.keep_capabilities(walls.CHANGING_USER if self._user is not None else set())
        return self._confinement is not None and not wanted["without"]

    def _preload(self, names: list[str]) -> None:
        self._runner = sibling("runner")
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:  # whatever a third party's module does when it is imported
                raise ImportError(f"cannot preload {name!r}: {type(error).__name__}: {error}") from error
        self._runner.warm()
        gc.collect()
        self._ballast = _holes_filled()
        gc.freeze()
        self._address_space = self._mapped()

    def _prove(self) -> None:
        """Lets a child try what must fail, before any candidate is let in.

        Raises:
            OSError: something did not fail.
        """
        self._bound_by(_PROOF)
        told, telling = os.pipe()
        pid = os.fork()
        if pid == 0:
            null = os.open(os.devnull, os.O_RDWR)
            try:
                self._confine([telling, null, null])
                found = ", ".join(self._walls.still_open(self._attempts())) or "-"
            except BaseException as error:
                found = repr(error)
            finally:
                _tell(found, telling, _CHANNEL)
                os._exit(0)
        os.close(telling)
        with open(told, encoding="utf-8") as reader:
            found = reader.read()
        os.waitpid(pid, 0)
        if found != "-":
            raise OSError(f"the walls do not hold here: {found or 'the proof ended without a word'}")

    def _fork(self, limits: dict[str, Any], seed: int, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
        if self._job:
            raise ValueError("one child at a time")
        if limits["processes"] and self._confinement is not None and self._bound_on_processes(limits) is None:
            raise ValueError("nothing here holds a candidate to a number of processes: it needs namespaces, or root")
        self._bound_by(limits)
        if seed != self._seed:  # children inherit it: what is the same for all of them is done once
            self._runner.reseed(seed)
            self._seed = seed
        pid = self._forked()
        if pid == 0:
            self._become_child(fds)
        try:
            sent = self._handles(pid)
        except OSError:  # an old kernel, or no descriptors left
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        self._job = pid
        return {"pid": pid}, sent

    def _forked(self) -> int:
        return int(self._kernel.fork())

    def _handles(self, pid: int) -> list[int]:
        """What the engine is given to watch a child by."""
        return [os.pidfd_open(pid)]

    def _attempts(self) -> dict[str, Any]:
        """What must fail in a child."""
        return dict(self._walls.attempts(scratch=self._scratch))

    def _mapped(self) -> int:
        """Bytes of address space that this process has in use."""
        return int(self._of_proc("self/statm").split()[0]) * resource.getpagesize()

    def _become_child(self, fds: list[int]) -> None:
        """Never returns."""
        try:
            os.setsid()
            self._confine(fds)
        except BaseException:  # nothing of the candidate has run yet: the engine reads this status as its own failure
            os._exit(_SETUP_FAILED)
        try:
            self._runner.serve(_CHANNEL, self._limits, self._seed)
        finally:
            os._exit(1)

    def _confine(self, fds: list[int]) -> None:
        if self._sacrifice:  # where memory runs out, the candidate goes first
            with open("self/oom_score_adj", "w", encoding="ascii", opener=self._beneath_proc) as score:
                score.write("1000")
        rules = None if self._confinement is None else self._confinement.rules
        self._keep_only(fds, rules)
        if self._confinement is not None:
            place = None if rules is None else _RULES
            self._confinement.apply(place, self._limits["processes"], self._bounds, self._pid)
            return
        self._kernel.prctl(self._kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._pid:
            raise OSError("the warm process is gone")
        self._walls.bound(self._bounds)

    def _keep_only(self, fds: list[int], rules: int | None) -> None:
        """Leaves /dev/null, stdout, stderr, the channel and Landlock's rules, as descriptors 0 to 4."""
        channel, out, err = fds
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.dup2(channel, _CHANNEL)
        if rules is not None:
            os.dup2(rules, _RULES)
        os.closerange(_RULES if rules is None else _RULES + 1, self._descriptors)

    def _bound_by(self, limits: dict[str, Any]) -> None:
        """Works out the kernel's limits. What this process had mapped already does not count against the candidate."""
        if limits == self._limits:
            return
        self._bounds, self._limits = self._walls.bounds_of(self._wanted_bounds(limits)), limits

    def _wanted_bounds(self, limits: dict[str, Any]) -> dict[int, int]:
        wanted = {
            resource.RLIMIT_AS: self._address_space + int(limits["memory_mib"]) * 2**20,
            resource.RLIMIT_FSIZE: int(limits["scratch_mib"]) * 2**20,
            resource.RLIMIT_NOFILE: int(limits["descriptors"]),
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_MEMLOCK: 0,
            resource.RLIMIT_MSGQUEUE: 0,
        }
        processes = self._bound_on_processes(limits)
        if processes is not None:
            wanted[resource.RLIMIT_NPROC] = processes
        return wanted

    def _bound_on_processes(self, limits: dict[str, Any]) -> int | None:
        """What RLIMIT_NPROC, which counts all that a user has in a user namespace, must be; None if nothing helps."""
        wanted = int(limits["processes"])
        if not wanted:
            return 0
        if self._user is not None:
            return 1 + wanted
        if self._alone and os.getuid():
            return 3 + wanted  # this process and the one that waits outside count too
        return None  # it is not enforced for uid 0, and a user may have any number of other processes

    def _reap(self, pid: int) -> dict[str, Any]:
        if pid != self._job:
            raise ValueError(f"{pid} is not the child")
        _, status, used = os.wait4(pid, 0)
        self._job = 0
        self._sweep()
        return {
            "status": os.waitstatus_to_exitcode(status),
            "cpu": used.ru_utime + used.ru_stime,
            "peak_mib": used.ru_maxrss / _RSS_PER_MIB,
        }

    def _sweep(self) -> None:
        """Kills what candidates left behind: this process inherits their orphans."""
        for _ in range(_SWEEPS):
            try:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if self._alone:
                os.kill(-1, signal.SIGKILL)  # all but this process, in one stroke
                os.waitpid(-1, 0)
                continue
            strays = self._children()
            for pid in strays:
                os.kill(pid, signal.SIGKILL)
            for pid in strays:
                os.waitpid(pid, 0)

    def _children(self) -> set[int]:
        """Process ids whose parent is this process."""
        try:
            return {int(pid) for pid in self._of_proc(f"self/task/{self._pid}/children").split()}
        except FileNotFoundError:
            with os.scandir("/proc") as entries:
                return {
                    int(entry.name) for entry in entries if entry.name.isdigit() and _parent(entry.name) == self._pid
                }

    def _of_proc(self, path: str) -> str:
        with open(path, encoding="ascii", opener=self._beneath_proc) as file:
            return file.read()

    def _beneath_proc(self, path: str, flags: int) -> int:
        return os.open(path, flags, dir_fd=self._proc)


_PROOF = {"memory_mib": 64, "descriptors": 64, "processes": 0, "scratch_mib": 0}


def _tell(text: str, *places: int) -> None:
    """Writes to the first of some descriptors that takes it."""
    for fd in places:
        try:
            os.write(fd, text.encode())
        except OSError:
            continue
        return


def _holes_filled() -> list[object]:
    """Objects in all the gaps between those of this process, so that what a child makes lies together.

    Otherwise each would lie in a gap, on a page of its own that had to be copied. The interpreter's allocator gives
    a request the gaps of its size before it begins a new pool; the first block of a pool lies behind its header.
    """
    held: list[object] = []
    for size in range(_STEP, _SMALL + 1, _STEP):
        for number in range(_GAPS):
            match size // _STEP:
                case 1:
                    held.append(object())
                case 2:
                    held.append(2**40 + number)
                case _:
                    held.append(bytes(size - _BYTES))
            if id(held[-1]) % _POOL == _POOL_HEADER:
                break
    return held


def _occupy() -> None:
    """Takes the descriptors that children have, so that none that is opened later can be in the way of them."""
    while (fd := os.open(os.devnull, os.O_RDONLY)) <= _RULES:
        pass
    os.close(fd)


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return -1


def main(kind: type[Zygote] = Zygote) -> None:
    """Serves the socket whose descriptor is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    zygote = kind(control)
    try:
        zygote.serve()
    except OSError:
        pass
    finally:
        zygote.end()


if __name__ == "__main__":
    main()
