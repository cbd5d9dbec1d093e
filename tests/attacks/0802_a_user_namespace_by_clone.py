"""Makes a user namespace in a child, where it may have processes."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LIMITS = {"processes": 4}
LAYERS = ("seccomp",)

import ctypes
import errno
import os
import platform


def attack(world):
    number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    pid = libc.syscall(number, ctypes.c_ulong(0x10000000 | 17), None, None, None, None)
    if pid == 0:
        os._exit(0)
    return errno.errorcode[ctypes.get_errno()] if pid < 0 else "through"
