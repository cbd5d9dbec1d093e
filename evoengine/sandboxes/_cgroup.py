"""Control groups: memory of every kind and the number of processes, held by the kernel for a sandbox as a whole."""

from __future__ import annotations

import itertools
import os
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from evoengine.errors import SandboxError

_PREFIX = "evoengine-"
_SLACK = 32 * 2**20
"""What the kernel itself needs for a child: page tables, stacks, pipes."""
_numbers = itertools.count(1)


class Cgroup:
    """One group for one warm process and its children, in both controllers, of version 1 or 2.

    Raises:
        SandboxError: there is none that may be used.
    """

    def __init__(self) -> None:
        parents = places()
        name = f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        self._memory, self._pids = parents["memory"] / name, parents["pids"] / name
        self._unified = parents["memory"] == parents["pids"]
        self._idle_bytes = self._idle_pids = 0
        self._memory_set = self._pids_set = -1
        self._kills = 0
        try:
            for folder in {self._memory, self._pids}:
                folder.mkdir()
            if not (self._pids / "pids.max").exists() or not self._limit_file.exists():
                raise OSError("the group lacks a controller")
        except OSError as error:
            self.close()
            raise SandboxError(f"no control group can be made: {error}") from None

    @property
    def _limit_file(self) -> Path:
        return self._memory / ("memory.max" if self._unified else "memory.limit_in_bytes")

    @property
    def _peak_file(self) -> Path:
        return self._memory / ("memory.peak" if self._unified else "memory.max_usage_in_bytes")

    def take_in(self, pid: int) -> None:
        """Moves a process into the group; its children are born there."""
        try:
            for folder in {self._memory, self._pids}:
                (folder / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            raise SandboxError(f"a process cannot be moved into a control group: {error}") from None

    def settle(self) -> None:
        """Takes what is in use now as what the warm process itself needs."""
        used = "memory.current" if self._unified else "memory.usage_in_bytes"
        self._idle_bytes = int((self._memory / used).read_text())
        self._idle_pids = int((self._pids / "pids.current").read_text())
        self._kills = self._killed()

    def limit(self, memory_mib: float, processes: int) -> None:
        """Sets the limits of the next child, and starts to measure its peak."""
        memory, pids = self._idle_bytes + _SLACK + int(memory_mib * 2**20), self._idle_pids + 1 + processes
        try:
            if memory != self._memory_set:
                self._limit_file.write_text(str(memory))
                with suppress(FileNotFoundError):
                    (self._memory / "memory.swap.max").write_text("0") if self._unified else None
                self._memory_set = memory
            if pids != self._pids_set:
                (self._pids / "pids.max").write_text(str(pids))
                self._pids_set = pids
            with suppress(OSError):  # before Linux 6.12 a peak of version 2 cannot be set back
                self._peak_file.write_text("0")
        except OSError as error:
            raise SandboxError(f"a control group refuses its limits: {error}") from None

    @property
    def peak_mib(self) -> float:
        """The most that was in use beside what the warm process needs, since `limit`."""
        try:
            return max(0.0, (int(self._peak_file.read_text()) - self._idle_bytes) / 2**20)
        except OSError:
            return 0.0

    def ran_out(self) -> bool:
        """Whether the kernel has killed for want of memory since this was last asked."""
        before, self._kills = self._kills, self._killed()
        return self._kills > before

    def _killed(self) -> int:
        name = "memory.events" if self._unified else "memory.oom_control"
        with suppress(OSError):
            for line in (self._memory / name).read_text().splitlines():
                what, _, count = line.partition(" ")
                if what == "oom_kill":
                    return int(count)
        return 0

    def close(self) -> None:
        """Removes the group, once its processes are gone; waits for them a moment."""
        for folder in {self._memory, self._pids}:
            for _ in range(100):
                with suppress(FileNotFoundError):
                    try:
                        folder.rmdir()
                    except OSError:
                        time.sleep(0.01)
                        continue
                break


@lru_cache(maxsize=1)
def places() -> dict[str, Path]:
    """Where groups can be made, by controller ("memory" and "pids").

    Raises:
        SandboxError: nowhere.
    """
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    found: dict[str, Path] = {}
    for fields in mounts:
        kind, options = fields[fields.index("-") + 1], set(fields[-1].split(","))
        for _, controllers, path in own:
            inside = os.path.relpath(path, fields[3]) if path.startswith(fields[3].rstrip("/") + "/") else "."
            folder = Path(fields[4]) / inside
            if kind == "cgroup" and options & set(controllers.split(",")):
                found |= dict.fromkeys({"memory", "pids"} & options, folder)
            elif kind == "cgroup2" and not controllers:
                with suppress(OSError):
                    (folder / "cgroup.subtree_control").write_text("+memory +pids")
                    found = {"memory": folder, "pids": folder} | found
    if not {"memory", "pids"} <= set(found) or not all(os.access(folder, os.W_OK) for folder in found.values()):
        raise SandboxError("no control groups of memory and pids may be made by this user")
    for folder in set(found.values()):
        _remove_stale(folder)
    return found


def _remove_stale(folder: Path) -> None:
    """Removes the groups of engines that are gone."""
    for left in folder.glob(f"{_PREFIX}*-*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            with suppress(OSError):
                left.rmdir()
