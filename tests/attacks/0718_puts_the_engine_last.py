"""Gives the engine the lowest priority."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("namespaces", "seccomp", "user")

import os


def attack(world):
    os.setpriority(os.PRIO_PROCESS, world["engine"], 19)
    return "last"
