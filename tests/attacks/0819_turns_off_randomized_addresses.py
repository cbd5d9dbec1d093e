"""Has the addresses of programs be the same at every start, which later attacks on them would need."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.personality(0x0040000)
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
