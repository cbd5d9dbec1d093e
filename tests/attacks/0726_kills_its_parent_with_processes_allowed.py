"""Kills the process that it was forked from, where it may have processes."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("killed",)
WATCH = {"warm"}
LIMITS = {"processes": 4}
LAYERS = ("namespaces", "landlock", "user")

import os
import signal


def attack(world):
    os.kill(os.getppid(), signal.SIGKILL)
    return "killed"
