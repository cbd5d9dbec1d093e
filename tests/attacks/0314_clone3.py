"""Starts a process by clone3, whose flags no filter of system calls can read."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EAGAIN")
WATCH = {"outputs", "processes"}
LAYERS = ("seccomp", "reaping")

import ctypes
import errno
import os
import struct
import time


def attack(world):
    wanted = struct.pack("<8Q", 0, 0, 0, 0, 17, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    pid = libc.syscall(435, wanted, ctypes.c_size_t(len(wanted)))
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    return errno.errorcode[ctypes.get_errno()] if pid < 0 else "through"
