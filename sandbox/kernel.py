"""The calls of the Linux kernel that Python 3.11 has no function for. Nothing here decides anything."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
PR_SET_CHILD_SUBREAPER = 36

NEWNS = 0x00020000
NEWCGROUP = 0x02000000
NEWUTS = 0x04000000
NEWIPC = 0x08000000
NEWUSER = 0x10000000
NEWPID = 0x20000000
NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
MS_REMOUNT, MS_BIND, MS_REC, MS_SLAVE = 32, 4096, 16384, 1 << 19
MNT_DETACH = 2

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_CAPABILITIES = 0x20080522
_OWN = struct.pack("<Ii", _CAPABILITIES, 0)
_NO_CAPABILITIES = bytes(24)
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SECCOMP_NUMBER = _SECCOMP.get(platform.machine(), -1)
_ID = struct.Struct("<I")
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446

_libc = ctypes.CDLL(None, use_errno=True)
_libc_with_lock = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def fork() -> int:
    """Forks as `os.fork` does, but without what Python and its modules do in a child.

    They make their locks and thread lists anew, which a process that never had a second thread does not
    need, and thereby write to two hundred pages: more than half of what a fork costs.
    """
    return _check(int(_libc_with_lock.fork()), "fork")


def prctl(option: int, value: int) -> None:
    """Sets an attribute of this process."""
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), "prctl")


def unshare(flags: int) -> None:
    """Moves this process (its children, for process ids) into new namespaces."""
    _check(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Mounts, binds or remounts."""
    done = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _check(done, f"mount {target}")


def read_only(target: str, *, devices: bool = False) -> None:
    """Makes a mount and all below it read-only, without set-uid programs and (but for `devices`) devices."""
    attributes = struct.pack("<QQQQ", MS_RDONLY | MS_NOSUID | (0 if devices else MS_NODEV), 0, 0, 0)
    _syscall(_MOUNT_SETATTR, _AT_FDCWD, target.encode(), _AT_RECURSIVE, attributes, len(attributes))


def pivot_root(new: str, old: str) -> None:
    """Makes `new` the root, and puts the old one at `old`."""
    _syscall(_PIVOT_ROOT[platform.machine()], new.encode(), old.encode())


def unmount(target: str) -> None:
    """Takes a mount and all below it out of sight."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def capabilities() -> set[int]:
    """Those that this process may use."""
    held = ctypes.create_string_buffer(24)
    _check(_libc.capget(_OWN, held), "capget")
    _, low, _, _, high, _ = struct.unpack("<6I", held.raw)
    return {one for one in range(64) if (low | high << 32) >> one & 1}


def keep_capabilities(kept: set[int]) -> None:
    """Gives up every capability but these."""
    bits = sum(1 << one for one in kept)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    _check(_libc.capset(_OWN, struct.pack("<6I", low, low, 0, high, high, 0)), "capset")


def drop_capabilities() -> None:
    """Gives up every capability."""
    _check(_libc.capset(_OWN, _NO_CAPABILITIES), "capset")


class Seccomp:
    """A filter of system calls, ready to be installed: a child then makes no more objects than it has to.

    Args:
        program: classic BPF instructions of 8 bytes each.
        places: where in it the process's own id is wanted, as offsets of 4 bytes each.
    """

    def __init__(self, program: bytes, places: list[int]) -> None:
        self._places, self._held = places, bytearray(program)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._held))
        self._described = struct.pack("@HP", len(program) // 8, start)

    def install(self, pid: int) -> None:
        """Puts this process, of that id as it sees itself, under the filter for good."""
        for place in self._places:
            _ID.pack_into(self._held, place, pid)
        _syscall(_SECCOMP_NUMBER, 1, 0, self._described)


def landlock_version() -> int:
    """The version of Landlock's interface; 0 where there is none."""
    try:
        return _syscall(_LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return 0


def landlock_ruleset(attributes: bytes) -> int:
    """A descriptor of a new set of rules."""
    return _syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)


def landlock_allow(ruleset: int, access: int, path: str) -> None:
    """Adds a rule: this access to what lies beneath a path."""
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        _syscall(_LANDLOCK_ADD, ruleset, 1, struct.pack("<Qi", access, place), 0)
    finally:
        os.close(place)


def landlock_restrict(ruleset: int, flags: int) -> None:
    """Puts this process under a set of rules, for good."""
    _syscall(_LANDLOCK_RESTRICT, ruleset, flags)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return _check(int(_libc.syscall(ctypes.c_long(number), *wide)), f"system call {number}")


def _check(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result
