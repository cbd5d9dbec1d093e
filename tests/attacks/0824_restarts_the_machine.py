"""Asks for a restart, with a wrong password, so that it shows only whether it may."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS")
WATCH = {"outputs"}
LAYERS = ("seccomp", "user")

import ctypes
import errno
import platform


def attack(world):
    number = {"x86_64": 169, "aarch64": 142}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    return errno.errorcode[ctypes.get_errno()] if libc.syscall(number, 1, 2, 3, None) else "through"
