"""Kills the engine where it may have processes, and so may send signals to them."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LIMITS = {"processes": 4}
LAYERS = ("namespaces", "landlock", "user")

import os
import signal


def attack(world):
    os.kill(world["engine"], signal.SIGKILL)
    return "killed"
