"""Takes back the user id of root."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = (False,)
WATCH = {"outputs"}
LAYERS = ("user", "seccomp", "capabilities")

import ctypes
import os
import struct


def attack(world):
    try:
        os.setresuid(0, 0, 0)
    except OSError:
        pass
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(24)
    failed = libc.capget(struct.pack("<Ii", 0x20080522, 0), held)
    return not failed and any(held.raw)
