"""Opens a file only to read, and writes to it through /proc/self/fd."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "landlock")

import os


def attack(world):
    held = os.open(world["canary"], os.O_RDONLY)
    os.close(os.open(f"/proc/self/fd/{held}", os.O_WRONLY | os.O_TRUNC))
    return "truncated"
