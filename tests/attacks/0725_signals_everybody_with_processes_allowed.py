"""Sends a signal to every process that it may send one to, where it may have processes."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ("sent",)
WATCH = {"engine"}
LIMITS = {"processes": 4}
LAYERS = ("namespaces", "landlock", "user")

import os
import signal


def attack(world):
    os.kill(-1, signal.SIGUSR1)
    return "sent"
