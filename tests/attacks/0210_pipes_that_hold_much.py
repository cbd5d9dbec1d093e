"""Enlarges the buffers of many pipes, which are the kernel's memory, and fills them."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp",)

import fcntl
import os


def attack(world):
    for _ in range(20):
        reading, writing = os.pipe()
        fcntl.fcntl(writing, 1031, 2**20)
        os.write(writing, bytes(2**20))
    return "twenty mebibytes in the kernel"
