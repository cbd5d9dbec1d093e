"""Makes a file look older than it is."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "seccomp")

import os


def attack(world):
    os.utime(world["canary"], (1, 1))
    return "changed"
