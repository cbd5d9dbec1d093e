"""Opens a performance counter of its own, which measures what others do on the same core."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import ctypes
import errno
import platform
import struct


def attack(world):
    number = {"x86_64": 298, "aarch64": 241}[platform.machine()]
    wanted = struct.pack("<IIQ", 1, 112, 1).ljust(40, b"\0") + struct.pack("<Q", 0x61) + bytes(64)
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(number, wanted, 0, -1, -1, 0)
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
