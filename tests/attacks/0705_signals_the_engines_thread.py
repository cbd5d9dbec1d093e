"""Sends a signal to the engine by tgkill and by tkill."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = (["EPERM", "EPERM"], ["EPERM", "ESRCH"], ["ESRCH", "EPERM"], ["ESRCH", "ESRCH"])
WATCH = {"engine", "outputs"}
LAYERS = ("namespaces", "seccomp", "landlock", "user")

import ctypes
import errno
import platform


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    tgkill, tkill = {"x86_64": (234, 200), "aarch64": (131, 130)}[platform.machine()]
    told = []
    for call in ((tgkill, world["engine"], world["engine"], 10), (tkill, world["engine"], 10)):
        told.append(errno.errorcode[ctypes.get_errno()] if libc.syscall(*call) else "through")
    return told
