"""Reads a large file through a shared mapping, which fills the page cache with it."""

MUST = {"forbidden", "crashed", "out_of_memory"}
WATCH = {"cause"}
LAYERS = ("namespaces", "landlock", "limits")

import os


def attack(world):
    large = os.open(world["large"], os.O_RDONLY)
    size = 0
    while True:
        data = os.read(large, 2**20)
        if not data:
            return size
        size += len(data)
