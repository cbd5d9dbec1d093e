"""What a process and all below it use and hold, read from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process at one moment.

    Attributes:
        cpu_seconds: its own and that of the children it has waited for.
        rss_mib: memory that it has in RAM.
        descriptors: how many it has open; -1 where it may not be asked.
    """

    pid: int
    parent: int
    state: str
    cpu_seconds: float
    rss_mib: float
    descriptors: int


def family(pid: int) -> list[Process]:
    """A process and all below it, zombies included; itself first."""
    every = {one.pid: one for one in _all()}
    found = [every[pid]]
    for one in found:  # grows while it is walked
        found += [other for other in every.values() if other.parent == one.pid]
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, of all that is below it, and of all that these have waited for.

    The kernel counts in ticks of 10 ms here, so take it over seconds.
    """
    return sum(one.cpu_seconds for one in family(pid))


def _all() -> Iterator[Process]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                yield _read(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue


def _read(pid: int) -> Process:
    folder = Path(f"/proc/{pid}")
    fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    try:
        descriptors = len(os.listdir(folder / "fd"))
    except PermissionError:
        descriptors = -1
    return Process(
        pid=pid,
        parent=int(fields[1]),
        state=fields[0],
        cpu_seconds=sum(map(int, fields[11:15])) / _TICK,
        rss_mib=int(fields[21]) * _PAGE / 2**20,
        descriptors=descriptors,
    )
