"""Makes two thousand folders."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers"}
LAYERS = ("namespaces", "landlock", "seccomp")

import os


def attack(world):
    for number in range(2000):
        os.mkdir(f"{world['inside']}/{number}")
    return "flooded"
