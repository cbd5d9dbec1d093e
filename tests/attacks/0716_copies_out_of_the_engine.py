"""Reads the engine's memory by process_vm_readv."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "seccomp", "landlock", "user")

import ctypes


def attack(world):
    place, size = world["memory"]
    held = ctypes.create_string_buffer(size)
    ours = (ctypes.c_size_t * 2)(ctypes.addressof(held), size)
    theirs = (ctypes.c_size_t * 2)(place, size)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.process_vm_readv(world["engine"], ours, 1, theirs, 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "process_vm_readv")
    return held.value.decode()
