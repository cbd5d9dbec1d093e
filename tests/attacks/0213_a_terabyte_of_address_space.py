"""Maps a tebibyte of address space without asking for memory."""

MUST = {"forbidden", "out_of_memory", "crashed"}
WATCH = {"cause"}
LAYERS = ("limits",)

import ctypes


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    place = libc.mmap(None, ctypes.c_size_t(2**40), 3, 0x4022, -1, ctypes.c_long(0))
    if place is None or place == ctypes.c_void_p(-1).value:
        raise MemoryError
    return "a tebibyte"
