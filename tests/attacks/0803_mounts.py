"""Mounts an empty file system over a folder of the machine."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"canaries", "outputs"}
LAYERS = ("seccomp", "user", "landlock")

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    failed = libc.mount(b"none", world["folder"].encode(), b"tmpfs", 0, b"size=1m")
    return errno.errorcode[ctypes.get_errno()] if failed else "through"
