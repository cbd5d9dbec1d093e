"""Writes to the memory of the process that it was forked from, at an address that both have."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "landlock", "user")

import ctypes
import os

held = ctypes.create_string_buffer(b"X" * 16)


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    place = id(Ellipsis)
    ours = (ctypes.c_size_t * 2)(ctypes.addressof(held), 1)
    theirs = (ctypes.c_size_t * 2)(place, 1)
    if libc.process_vm_readv(os.getppid(), ours, 1, theirs, 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "process_vm_readv")
    if libc.process_vm_writev(os.getppid(), ours, 1, theirs, 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "process_vm_writev")
    return "written"
