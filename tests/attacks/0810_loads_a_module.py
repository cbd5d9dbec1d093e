"""Loads a kernel module."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp", "user")

import ctypes
import errno
import platform


def attack(world):
    number = {"x86_64": 175, "aarch64": 105}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    failed = libc.syscall(number, b"no module", 0, b"")
    return errno.errorcode[ctypes.get_errno()] if failed else "through"
