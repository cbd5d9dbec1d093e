"""Stops the process that it was forked from, where it may have processes."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("stopped",)
WATCH = {"warm"}
LIMITS = {"processes": 4, "wall_seconds": 5.0}
LAYERS = ("namespaces", "landlock", "user")

import os
import signal


def attack(world):
    os.kill(os.getppid(), signal.SIGSTOP)
    return "stopped"
