"""Takes memory that is out of the kernel's own sight, and of the limit of address space."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(447, 0)
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
