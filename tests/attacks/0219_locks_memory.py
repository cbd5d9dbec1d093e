"""Locks its memory, so that none of it can be taken back."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES", "ENOMEM")
WATCH = {"outputs"}
LAYERS = ("seccomp", "limits")

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    return errno.errorcode[ctypes.get_errno()] if libc.mlockall(1) else "through"
