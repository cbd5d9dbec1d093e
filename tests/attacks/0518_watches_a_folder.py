"""Watches what others do in a folder by inotify."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES", "ENOENT")
WATCH = {"outputs"}
LAYERS = ("seccomp", "namespaces")

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(0)
    if watch < 0 or libc.inotify_add_watch(watch, world["folder"].encode(), 0xFFF) < 0:
        return errno.errorcode[ctypes.get_errno()]
    return "through"
