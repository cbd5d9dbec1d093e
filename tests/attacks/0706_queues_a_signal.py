"""Sends a signal to the engine by rt_sigqueueinfo, with a payload."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("namespaces", "seccomp", "landlock", "user")

import ctypes
import os


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.sigqueue(world["engine"], 10, ctypes.c_void_p(1)):
        raise OSError(ctypes.get_errno(), "sigqueue")
    return "sent"
