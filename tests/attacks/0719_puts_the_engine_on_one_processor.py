"""Ties the engine to one processor."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine", "cause"}
LAYERS = ("namespaces", "seccomp", "user")

import os


def attack(world):
    os.sched_setaffinity(world["engine"], {min(os.sched_getaffinity(0))})
    return "tied"
