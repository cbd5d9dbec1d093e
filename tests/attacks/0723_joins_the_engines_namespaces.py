"""Enters the namespaces that the engine is in."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("namespaces", "landlock", "seccomp", "user")

import ctypes
import os


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    held = os.open(f"/proc/{world['engine']}/ns/net", os.O_RDONLY)
    if libc.setns(held, 0):
        raise OSError(ctypes.get_errno(), "setns")
    return "inside"
