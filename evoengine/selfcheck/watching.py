"""What can be seen from outside of what a candidate did: compared before and after it ran."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from evoengine.selfcheck.world import World

_SETTLE_SECONDS = 3.0
_LOOK_SECONDS = 0.02
_LIMITS = ("AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "MSGQUEUE", "NICE", "NOFILE", "NPROC", "STACK")
_SIGNALS = ("HUP", "INT", "TERM", "USR1", "USR2", "IO", "ALRM", "CONT", "URG", "WINCH", "PWR", "RTMIN")

_received: list[str] = []


def listen_for_signals() -> None:
    """Notes every harmless signal that this process gets from now on. For the main thread."""
    for name in _SIGNALS:
        number = getattr(signal, f"SIG{name}", None)
        if number is not None:
            signal.signal(number, _note)


def _note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of handlers
    _received.append(signal.Signals(number).name if number in list(signal.Signals) else str(number))


class Watch:
    """The state of everything around a candidate at one moment, to be compared with what it is later.

    Args:
        world: what attacks were offered.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._began = _ticks_now()
        self._processes = below(os.getpid())
        self._warm = _children(os.getpid())
        self._segments = _segments()
        self._engine = _engine()
        self._descriptors = _descriptors()
        _received.clear()
        world.contacted()

    def changed(self) -> Iterator[tuple[str, str]]:
        """What is different now: what kind of thing, and in words. Gives processes a moment to go."""
        world = self._world
        now = world.seen()
        for name, before in world.canaries.items():
            if now.get(name) != before:
                yield "canaries", f"{name} was changed or removed"
        for path in world.left_over():
            yield "leftovers", f"{path.replace(world.mark, '...')} was left"
            break
        for segment in sorted(_segments() - self._segments):
            yield "leftovers", f"{segment} was left"
        for name in world.contacted():
            yield "listeners", f"the {name} listener was reached"
        left = self._left()
        if left:
            yield "processes", f"{left} processes were left"
        for what, value in _engine().items():
            if value != self._engine[what]:
                yield "engine", f"the engine's {what} went from {self._engine[what]} to {value}"
        more = self._more_descriptors()
        if more:
            yield "engine", f"the engine has {more} more descriptors open"
        if _received:
            yield "engine", f"the engine was sent {', '.join(sorted(set(_received)))}"
        if _children(os.getpid()) != self._warm:
            yield "warm", "the warm process ended"

    def _left(self) -> int:
        # the kernel may leave children out of a list while others of them end, so the first count may be too low; who
        # was there before is told by when it began
        def excess() -> int:
            now = below(os.getpid())
            return min(len(now) - len(self._processes), sum(_started(pid) >= self._began for pid in now))

        return _settled(excess)

    def _more_descriptors(self) -> int:
        return _settled(lambda: _descriptors() - self._descriptors)


def _settled(excess: Callable[[], int]) -> int:
    """How much there is too much, once it is none or enough time has passed."""
    until = time.monotonic() + _SETTLE_SECONDS
    while True:
        found = excess()
        if found <= 0 or time.monotonic() > until:
            return max(found, 0)
        time.sleep(_LOOK_SECONDS)


class Peak:
    """The most memory that was in use, in MiB, over what was in use at first.

    Counted are that of the engine and all processes below it, and shared memory of the machine.
    """

    def __init__(self) -> None:
        self.mib = 0.0
        self._over = threading.Event()
        self._first = _used_mib()

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measures until the block is left."""
        thread = threading.Thread(target=self._measure, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _measure(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.mib = max(self.mib, _used_mib() - self._first)


def warm_process() -> int:
    """The process id of the process that candidates are forked from; 0 when there is none."""
    return min(_children(os.getpid()), default=0)


def below(pid: int) -> set[int]:
    """The processes that descend from one and have not ended."""
    found: set[int] = set()
    ahead = [pid]
    while ahead:
        for child in _children(ahead.pop()):
            if child not in found:
                found.add(child)
                ahead.append(child)
    return found


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found |= {int(one) for one in Path(f"/proc/{pid}/task/{task}/children").read_text().split()}
    return {one for one in found if _status(one, "State:")[:1] not in ("Z", "X", "")}


def _ticks_now() -> int:
    """The time since the machine started, in the kernel's ticks, as those of processes are counted."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0  # elsewhere than on Linux no processes are counted
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def _started(pid: int) -> int:
    """When a process began, in ticks since the machine started; -1 when it has ended."""
    with suppress(OSError, ValueError, IndexError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(text[text.rindex(")") + 2 :].split()[19])
    return -1


def _status(pid: int, *names: str) -> str:
    """The first word that follows one of these names in a process's status."""
    with suppress(OSError), open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
        for line in status:
            if line.startswith(names):
                return line.split()[1]
    return ""


def _used_mib() -> float:
    kib = sum(_own_kib(pid) for pid in {os.getpid(), *below(os.getpid())})
    with open("/proc/meminfo", encoding="ascii") as file:
        kib += next(int(line.split()[1]) for line in file if line.startswith("Shmem:"))
    return kib / 1024


def _own_kib(pid: int) -> int:
    """A process's memory, its share only of what it has in common with others since a fork."""
    with suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next((int(line.split()[1]) for line in rollup if line.startswith("Pss_Anon:")), 0)
    return int(_status(pid, "RssAnon:") or 0)  # where we may not look


def _segments() -> set[str]:
    """System V shared memory, queues and semaphores."""
    found = set()
    for kind in ("shm", "msg", "sem"):
        with suppress(OSError):
            for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]:
                found.add(f"{kind} segment {line.split()[1]}")
    return found


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _engine() -> dict[str, object]:
    """What others could change of this process."""
    found: dict[str, object] = {
        f"limit {name}": resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
        for name in _LIMITS
        if hasattr(resource, f"RLIMIT_{name}")
    }
    found["priority"] = os.getpriority(os.PRIO_PROCESS, 0)
    found["scheduler"] = os.sched_getscheduler(0)
    found["processors"] = sorted(os.sched_getaffinity(0))
    found["tracer"] = _status(os.getpid(), "TracerPid:")
    found["host name"] = os.uname().nodename
    for name in ("oom_score_adj", "cgroup"):
        with suppress(OSError):
            found[name] = Path(f"/proc/self/{name}").read_text()
    return found
