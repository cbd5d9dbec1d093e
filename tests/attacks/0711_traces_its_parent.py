"""Attaches to the process that it was forked from as a debugger."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "landlock", "user")

import ctypes
import os


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(0x4206, os.getppid(), None, None):
        raise OSError(ctypes.get_errno(), "ptrace")
    return "attached"
