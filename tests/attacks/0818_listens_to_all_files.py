"""Has the kernel tell it of every file that anybody opens."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp", "user")

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.fanotify_init(0, 0)
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
