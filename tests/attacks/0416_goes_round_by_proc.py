"""Writes to a file through the root of its own process in /proc."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "landlock")

import os


def attack(world):
    os.close(os.open(f"/proc/self/root{world['canary']}", os.O_WRONLY | os.O_TRUNC))
    return "truncated"
