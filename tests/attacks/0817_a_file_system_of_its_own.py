"""Opens a new file system by the newer interface for mounts."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp", "user")

import ctypes
import errno


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(430, b"tmpfs", 0)
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
