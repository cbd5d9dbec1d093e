"""Starts a process that is not its child but its parent's, by clone with CLONE_PARENT."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EAGAIN")
WATCH = {"outputs", "processes"}
LAYERS = ("seccomp", "reaping")

import ctypes
import errno
import os
import platform
import time


def attack(world):
    number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    pid = libc.syscall(number, ctypes.c_ulong(0x00008000 | 17), None, None, None, None)
    if pid == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
    return errno.errorcode[ctypes.get_errno()] if pid < 0 else "through"
