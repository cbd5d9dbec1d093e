"""Loads a map into the kernel by bpf."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES")
WATCH = {"outputs"}
LAYERS = ("seccomp", "user")

import ctypes
import errno
import platform
import struct


def attack(world):
    number = {"x86_64": 321, "aarch64": 280}[platform.machine()]
    wanted = ctypes.create_string_buffer(struct.pack("<IIII", 2, 4, 8, 1), 128)
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(number, 0, wanted, 16)
    return errno.errorcode[ctypes.get_errno()] if found < 0 else "through"
