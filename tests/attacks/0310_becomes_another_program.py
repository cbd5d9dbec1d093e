"""Becomes another program, which knows no limits of its own."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LIMITS = {"wall_seconds": 1.0}
LAYERS = ("seccomp", "namespaces", "landlock")

import os


def attack(world):
    os.execv("/bin/sleep", ["sleep", "60"])
