"""Opens a file by its handle, which asks no folder on the way."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("EPERM", "ENOSYS", "EACCES", "ENOENT")
WATCH = {"secrets", "outputs"}
LAYERS = ("seccomp", "user", "namespaces")

import ctypes
import errno
import os
import struct


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    handle = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    if libc.name_to_handle_at(-100, world["secret"].encode(), handle, ctypes.byref(mount), 0):
        return errno.errorcode[ctypes.get_errno()]
    root = os.open(world["folder"], os.O_RDONLY)
    held = libc.open_by_handle_at(root, handle, os.O_RDONLY)
    return os.read(held, 4096).decode() if held >= 0 else errno.errorcode[ctypes.get_errno()]
