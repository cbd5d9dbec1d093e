"""Makes a message queue in the kernel, which outlives the process."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp", "namespaces", "limits")

import ctypes
import errno
import os
import platform


def attack(world):
    number, unlink = {"x86_64": (240, 241), "aarch64": (180, 181)}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(number, world["mark"].encode(), os.O_CREAT | os.O_RDWR, 0o600, None)
    told = errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
    libc.syscall(unlink, world["mark"].encode())
    return told
