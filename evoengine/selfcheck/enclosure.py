"""Bounds around the engine that attacks are tried on, so that one that gets through is a verdict and no more.

Nothing here protects a sandbox under test from anything, nor does it help it: an attack finds the engine, its
files and its listeners within the same bounds, and what it does to them is seen.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from evoengine.paths import bundled
from evoengine.plugins import load_module

_PROCESSES = 400
_MEMORY_MIB = 4096
_ADDRESS_SPACE_MIB = 16384
_FILE_MIB = 1024
_CPU_SECONDS = 900
_SET_DUMPABLE = 4
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_GROUP = "evoengine-selfcheck-"
_SWEEP_SECONDS = 20.0


def kernel() -> ModuleType:
    """The calls of the kernel that Python has no function for."""
    return load_module("evoengine_selfcheck_kernel", bundled("sandbox") / "kernel.py")


def separate(calls: ModuleType) -> bool:
    """Gives the children of this process namespaces of their own; whether the machine lets it.

    No packet leaves, no process outside can be signalled, and no mount stays.
    """
    wanted = calls.NEWNS | calls.NEWPID | calls.NEWNET | calls.NEWIPC | calls.NEWUTS
    user, group = os.getuid(), os.getgid()
    try:
        if os.geteuid() == 0:
            calls.unshare(wanted)
        else:
            calls.unshare(wanted | calls.NEWUSER)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        return False
    return True


def furnish(calls: ModuleType, reach: Iterable[Path]) -> None:
    """Makes the new namespaces ready: for their first process.

    Args:
        calls: of the kernel.
        reach: what every user is to be able to read; folders above it that only their owner may pass through are
            covered by empty ones, which hold only the way to it.

    Raises:
        OSError: a mount is not allowed.
    """
    calls.mount("none", "/", "", calls.MS_SLAVE | calls.MS_REC)
    calls.mount("proc", "/proc", "proc", calls.MS_NOSUID | calls.MS_NODEV)
    _bring_up_loopback()
    closed: dict[str, list[str]] = {}
    for wanted in reach:
        real = os.path.realpath(wanted)
        above = _closed_above(real)
        if above is not None:
            closed.setdefault(above, []).append(real)
    for above, paths in closed.items():
        held = [(path, os.open(path, os.O_PATH)) for path in dict.fromkeys(paths)]
        calls.mount("tmpfs", above, "tmpfs", calls.MS_NOSUID | calls.MS_NODEV, "mode=755,size=1m")
        for path, place in held:
            os.makedirs(path, exist_ok=True)
            calls.mount(f"/proc/self/fd/{place}", path, "", calls.MS_BIND | calls.MS_REC)
            os.close(place)


def count_from(pid: int) -> None:
    """Gives the next process of these namespaces this id, where the machine lets us."""
    with suppress(OSError):
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))


def bound() -> None:
    """Limits what this process and its children may use, each of them."""
    nproc = _PROCESSES + sum(1 for _ in _own_threads())
    for kind, value in (
        (resource.RLIMIT_AS, _ADDRESS_SPACE_MIB * 2**20),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_FSIZE, _FILE_MIB * 2**20),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, nproc),
    ):
        _, hard = resource.getrlimit(kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, hard if kind == resource.RLIMIT_CORE else most))


def become(calls: ModuleType, user: int | None) -> None:
    """Becomes another user for good, one whose processes can see each other; or gives up what a namespace gave.

    Raises:
        OSError: it is not allowed.
    """
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        calls.prctl(_SET_DUMPABLE, 1)  # else its files in /proc would belong to root, and attacks on it fail for that
    if os.geteuid() != 0:
        calls.keep_capabilities(set())


class Groups:
    """Control groups for everything below this process, where they may be made: memory and processes.

    `joined` tells which there are; none is no error.
    """

    def __init__(self) -> None:
        self._folders: list[tuple[Path, Path]] = []
        for folder in _group_folders():
            _remove_stale(folder)
            group = folder / f"{_GROUP}{os.getpid()}"
            with suppress(OSError):
                group.mkdir()
                self._folders.append((group, folder))
                _limit(group)
                (group / "cgroup.procs").write_text(str(os.getpid()))

    def members(self) -> set[int]:
        """The processes in them, but for this one."""
        found: set[int] = set()
        for group, _ in self._folders:
            for listed in (group / "cgroup.procs", *group.rglob("cgroup.procs")):
                with suppress(OSError):
                    found |= {int(one) for one in listed.read_text().split()}
        return found - {os.getpid()}

    def close(self) -> None:
        """Leaves and removes them, once they are empty."""
        for group, folder in self._folders:
            with suppress(OSError):
                (folder / "cgroup.procs").write_text(str(os.getpid()))
            for place in sorted((one for one in group.rglob("*") if one.is_dir()), reverse=True):
                with suppress(OSError):
                    place.rmdir()
            with suppress(OSError):
                group.rmdir()


def sweep(groups: Groups, below: Iterable[int]) -> None:
    """Kills everything below this process, which must be a subreaper, and waits until it is gone."""
    until = time.monotonic() + _SWEEP_SECONDS
    ahead = set(below)
    while time.monotonic() < until:
        for pid in ahead | groups.members():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            if not groups.members():
                return
        ahead = _children()
        time.sleep(0.01)


def _children() -> set[int]:
    with suppress(OSError):
        return {int(one) for one in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
    return set()


def _closed_above(path: str) -> str | None:
    """The topmost folder above a path that others may not pass through."""
    parents = Path(path).parents
    return next((str(one) for one in reversed(parents) if not one.stat().st_mode & 1), None)


def _bring_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))


def _own_threads() -> Iterable[str]:
    user = os.getuid()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):
                if entry.stat().st_uid == user:
                    yield from os.listdir(f"/proc/{entry.name}/task")


def _group_folders() -> list[Path]:
    """Where this process is, in each hierarchy of control groups that bounds memory or processes."""
    own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        kind, options = fields[fields.index("-") + 1], set(fields[-1].split(","))
        for _, names, path in own:
            controllers = set(names.split(",")) - {""}
            if (kind == "cgroup" and options & controllers & {"memory", "pids"}) or (
                kind == "cgroup2" and not controllers
            ):
                inside = os.path.relpath(path, fields[3]) if path.startswith(fields[3]) else "."
                found.append(Path(fields[4]) / inside)
    return found


def _remove_stale(folder: Path) -> None:
    """Removes the groups of checks that were killed."""
    for left in folder.glob(f"{_GROUP}*"):
        if not Path("/proc", left.name.removeprefix(_GROUP)).exists():
            for place in (*sorted((one for one in left.rglob("*") if one.is_dir()), reverse=True), left):
                with suppress(OSError):
                    place.rmdir()


def _limit(group: Path) -> None:
    """Sets what the group has files for.

    Raises:
        OSError: it has none, and is of no use.
    """
    wanted = {
        "pids.max": _PROCESSES,
        "memory.max": _MEMORY_MIB * 2**20,
        "memory.limit_in_bytes": _MEMORY_MIB * 2**20,
    }
    present = [name for name in wanted if (group / name).exists()]
    for name in present:
        (group / name).write_text(str(wanted[name]))
    if not present:
        raise OSError(f"{group} bounds nothing")


def readable_to_all() -> list[Path]:
    """What another user needs to run this interpreter and package."""
    package = Path(__file__).resolve().parents[1]
    wanted = [sys.base_prefix, sys.prefix, sys.executable, str(package), str(bundled("sandbox"))]
    return [Path(path) if Path(path).is_dir() else Path(path).parent for path in dict.fromkeys(wanted)]
