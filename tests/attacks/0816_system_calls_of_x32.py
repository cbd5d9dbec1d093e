"""Makes system calls by their numbers in the x32 interface, which a careless filter does not know."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "no such machine")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno
import platform


def attack(world):
    if platform.machine() != "x86_64":
        return "no such machine"
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(ctypes.c_long(0x40000000 | 41), 1, 1, 0)
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
