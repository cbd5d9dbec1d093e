"""Installs a filter that lies to a program that is run under it, where it may have processes."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno
import platform


def attack(world):
    number = {"x86_64": 317, "aarch64": 277}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(number, 2, 0, ctypes.byref(ctypes.c_uint32(0x7FC00000)))
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
