"""The walls around a candidate: what the warm process puts up once, and what each child puts up for itself.

Once, before anything is imported: namespaces of its own (`enter`), with a file tree that holds the interpreter's
folders, read-only, and nothing else (for who may have files, also an empty folder of bounded size); no process of the
machine can be seen, no network interface is up. In each child (`Confinement.apply`), after the descriptors are closed
and before a byte of the candidate is read: another user, limits, no new privileges, Landlock, and last the filter of
system calls. Each layer is named in `LAYERS`; a test takes it out and sees what then gets through.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

Modules: TypeAlias = Any

LAYERS = ("namespaces", "user", "limits", "landlock", "seccomp")

_CAP_KILL, _CAP_SETGID, _CAP_SETUID = 5, 6, 7
_TREE = "/tmp"  # a folder that every machine has, to mount on in a namespace of our own
_RUN, _WRITE, _READ, _LIST = 1, 2, 4, 8
"""Landlock's rights over what lies beneath a folder, or over a file."""
SCRATCH = "/jail"
"""The folder of a candidate that may have files; of this name, for no machine has one that could be in the way."""
_ALIASES = ("/tmp", "/dev/shm")
"""Where programs expect such a folder without asking."""
_DEVICES = {"/dev/null": _READ | _WRITE, "/dev/urandom": _READ}
_OWN = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 14
"""Landlock's rights over that folder: all that there are over files, links and folders, but to run a program."""
_SILENT = 1
"""Landlock's flag for not writing every refusal to the machine's audit log."""
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights over files each version of Landlock's interface knows; later ones as many as the last."""


def enter(kernel: Modules, readable: list[str], *, as_root: bool, scratch_mib: int = 0) -> None:
    """Moves this program into namespaces of its own; it goes on as their first process.

    The process that called stays outside and waits: it ends with the first process, which dies with it.

    Args:
        kernel: the module of that name.
        readable: folders that stay visible.
        as_root: whether this process may do so itself; otherwise it does so in a user namespace.
        scratch_mib: the size of the one folder that may be written to; 0 for none.

    Raises:
        OSError: the machine does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    wanted = kernel.NEWNS | kernel.NEWPID | kernel.NEWNET | kernel.NEWIPC | kernel.NEWUTS | kernel.NEWCGROUP
    kernel.unshare(wanted if as_root else wanted | kernel.NEWUSER)
    if not as_root:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    first = os.fork()
    if first:
        os.closerange(3, 65536)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    _make_tree(kernel, readable, scratch_mib)
    socket.sethostname("sandbox")


def _make_tree(kernel: Modules, readable: list[str], scratch_mib: int) -> None:
    """A root of nothing but these folders, each at its own place, however many links led there."""
    shown = {path: os.path.realpath(path) for path in sorted(readable, key=len)}
    kernel.mount("none", "/", "", kernel.MS_SLAVE | kernel.MS_REC)
    kernel.mount("tmpfs", _TREE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755,nr_inodes=4096,size=1m")
    os.mkdir(f"{_TREE}/old")
    kernel.pivot_root(_TREE, f"{_TREE}/old")
    os.chdir("/")
    for path, real in shown.items():
        if not os.path.lexists(path):
            _show(kernel, f"/old{real}", path, devices=False)
    for path in _DEVICES:
        _show(kernel, f"/old{path}", path, devices=True)
    if scratch_mib:
        os.mkdir(SCRATCH)
        size = f"mode=1777,nr_inodes=16384,size={scratch_mib}m"
        kernel.mount("tmpfs", SCRATCH, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, size)
        for path in _ALIASES:
            if not os.path.lexists(path):
                os.symlink(SCRATCH, path)
    kernel.unmount("/old")
    os.rmdir("/old")
    kernel.mount("none", "/", "", kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID)


def _show(kernel: Modules, old: str, path: str, *, devices: bool) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.isdir(old):
        os.mkdir(path)
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    kernel.mount(old, path, "", kernel.MS_BIND | kernel.MS_REC)
    kernel.read_only(path, devices=devices)


class Confinement:
    """What a child gives up. Made once, in the warm process, so that a child pays as little as can be.

    Args:
        kernel: the module of that name.
        seccomp: the module of that name.
        readable: folders that may be read, for Landlock.
        user: a user id that no one else has, or None to stay who it is.
        without: layers that are left out, for tests of what each is for.
        alone: whether the process is in namespaces of its own.
        scratch: whether there is a folder that may be written to.

    Raises:
        OSError: the machine lacks a layer.
    """

    def __init__(
        self,
        kernel: Modules,
        seccomp: Modules,
        readable: list[str],
        *,
        user: int | None,
        without: list[str],
        alone: bool,
        scratch: bool = False,
    ) -> None:
        self._kernel, self._user = kernel, user
        self._limits = "limits" not in without
        version = 0 if "landlock" in without else kernel.landlock_version()
        if not version and "landlock" not in without:
            raise OSError("this kernel has no Landlock (Linux 5.13 and later have, where it is enabled)")
        self.rules = _ruleset(kernel, version, readable, scratch) if version else None
        self._flags = _SILENT if version >= 7 else 0
        self._filters: dict[bool, Any] = {}
        if "seccomp" not in without:
            # where signals cannot leave the namespace or Landlock's domain, one's own processes may be sent them
            signals = alone or version >= 6
            made = {fork: seccomp.Filter(fork=fork, signal=fork and signals, files=scratch) for fork in (False, True)}
            self._filters = {fork: kernel.Seccomp(one.program, one.places) for fork, one in made.items()}

    def apply(self, rules: int | None, processes: int, limits: dict[int, tuple[int, int]], parent: int) -> None:
        """Puts up the walls around this process.

        Args:
            rules: the descriptor of `self.rules` in this process; it is closed.
            processes: how many others it may start.
            limits: as of `bounds_of`.
            parent: the id of the process with whose end this one is to end.

        Raises:
            OSError: a wall could not be put up; the process must end.
        """
        kernel = self._kernel
        if self._user is not None:
            os.setgroups([])
            os.setresgid(self._user, self._user, self._user)
            os.setresuid(self._user, self._user, self._user)
        kernel.drop_capabilities()
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # forgotten at every change of user
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # a program that takes in cores would have to read a hostile one
        if os.getppid() != parent:
            raise OSError("the warm process is gone")
        if self._limits:
            bound(limits)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        if rules is not None:
            kernel.landlock_restrict(rules, self._flags)
            os.close(rules)
        if self._filters:
            self._filters[processes > 0].install(os.getpid())


def bounds_of(limits: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Hard limits as `bound` takes them, by `resource.RLIMIT_*`; never above what they are here."""
    hard = {kind: resource.getrlimit(kind)[1] for kind in limits}
    return {
        kind: (value, value) if hard[kind] == resource.RLIM_INFINITY else (min(value, hard[kind]),) * 2
        for kind, value in limits.items()
    }


def bound(bounds: dict[int, tuple[int, int]]) -> None:
    """Sets limits, soft and hard, by `resource.RLIMIT_*`."""
    for kind, both in bounds.items():
        resource.setrlimit(kind, both)


def spare_user(readable: list[str], table: str, unique: int) -> int | None:
    """A user id that nobody has, one for each warm process; None where it could not reach the readable folders.

    Args:
        readable: folders.
        table: of the user ids that exist here, as in `/proc/self/uid_map`.
        unique: a number that no other warm process of this machine has now, by all odds.
    """
    if not all(_reachable(os.path.realpath(path)) for path in readable):
        return None
    first, _, count = max(tuple(map(int, line.split())) for line in table.splitlines())
    return first + count - 2 - unique % max(1, min(count // 2, 1 << 30))


def _reachable(path: str) -> bool:
    """Whether anybody may pass through all folders above a path."""
    above = os.path.dirname(path)
    return above == path or (bool(os.stat(above).st_mode & 1) and _reachable(above))


CHANGING_USER = {_CAP_KILL, _CAP_SETGID, _CAP_SETUID}
"""The capabilities that the warm process needs to make its children another user, and to end them."""


def attempts(*, scratch: bool = False) -> dict[str, Callable[[], object]]:
    """Things that must fail inside, to be tried once by a child before any candidate is let in."""
    return {
        "open a file of the machine": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "write a file": lambda: _written(os.path.dirname(os.__file__) if scratch else _TREE),
        "make a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "start a process": _forked,
        "send a signal": lambda: os.kill(os.getppid(), 0),
        "become another user": lambda: os.setuid(os.getuid() + 1),
    }


def still_open(attempts: dict[str, Callable[[], object]]) -> list[str]:
    """Which attempts succeed."""
    found = []
    for what, attempt in attempts.items():
        try:
            attempt()
        except OSError as error:
            if error.errno in {errno.EPERM, errno.EACCES, errno.ENOENT, errno.EROFS}:
                continue
        found.append(what)
    return found


def _written(folder: str) -> None:
    path = f"{folder}/{os.getpid()}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(path)


def _forked() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _ruleset(kernel: Modules, version: int, readable: list[str], scratch: bool) -> int:
    """Rules that leave nothing but reading beneath some folders, and a folder of one's own."""
    files = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    attributes = struct.pack("<Q", files)
    if version >= 4:  # no TCP port may be bound or connected to
        attributes += struct.pack("<Q", 3)
    if version >= 6:  # abstract sockets and signals stay inside
        attributes += struct.pack("<Q", 3)
    ruleset: int = kernel.landlock_ruleset(attributes)
    wanted = {path: _RUN | _READ | (_LIST if os.path.isdir(path) else 0) for path in readable} | _DEVICES
    for path, access in wanted.items():
        if os.path.exists(path):
            kernel.landlock_allow(ruleset, access, path)
    if scratch:
        kernel.landlock_allow(ruleset, _OWN & files, SCRATCH)
    return ruleset


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def readable_here(given: list[str]) -> list[str]:
    """The given folders, and what this process has mapped of other places (a libpython, say)."""
    found = [path for path in given if os.path.exists(path)]
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        mapped = {"/" + line.rstrip("\n").partition("/")[2] for line in maps if "/" in line and ".so" in line}
    for path in sorted(mapped):
        if os.path.exists(path) and not any(path.startswith(f"{os.path.realpath(one)}/") for one in found):
            found.append(path)
    return found
