"""Maps half a gibibyte of shared memory without a name, and fills it."""

MUST = {"forbidden", "out_of_memory", "crashed"}
WATCH = {"memory"}
LAYERS = ("limits", "cgroup")

import mmap


def attack(world):
    held = mmap.mmap(-1, 2**29)
    for place in range(0, 2**29, 2**20):
        held[place : place + 2**20] = b"\1" * 2**20
    return len(held)
