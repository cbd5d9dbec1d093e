"""Has the kernel wait for it at a page of its choice, which makes races in the kernel easy to win."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno
import platform


def attack(world):
    number = {"x86_64": 323, "aarch64": 282}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(number, 1)
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
