"""Sets up io_uring, whose operations no filter of system calls sees."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))
    return errno.errorcode[ctypes.get_errno()] if ring < 0 else "through"
