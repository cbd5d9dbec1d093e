"""Keeps a secret in the kernel for the next candidate, in the keyring of its user."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno
import platform


def attack(world):
    number = {"x86_64": 248, "aarch64": 217}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    key = libc.syscall(number, b"user", world["mark"].encode(), b"kept", 4, -2)
    return errno.errorcode[ctypes.get_errno()] if key < 0 else "through"
