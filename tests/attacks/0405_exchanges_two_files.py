"""Exchanges two files of the machine by renameat2."""

MUST = {"forbidden", "crashed", "scored"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES", "ENOENT", "EXDEV")
WATCH = {"canaries", "outputs"}
LAYERS = ("namespaces", "landlock", "seccomp")

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    failed = libc.renameat2(-100, world["canary"].encode(), -100, world["inside"].encode(), 2)
    return errno.errorcode[ctypes.get_errno()] if failed else "through"
