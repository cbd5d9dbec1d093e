"""Takes a descriptor out of the engine by pidfd_getfd."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("seccomp", "namespaces", "landlock", "user")

import ctypes
import os


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    engine = os.pidfd_open(world["engine"])
    taken = libc.syscall(438, engine, world["open"], 0)
    if taken < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return os.pread(taken, 4096, 0).decode()
