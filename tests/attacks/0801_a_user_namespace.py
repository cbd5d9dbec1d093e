"""Makes a user namespace, in which it would be root and could reach much more of the kernel."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    return errno.errorcode[ctypes.get_errno()] if libc.unshare(0x10000000) else "through"
