"""Sends a signal to every process that it may send one to."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("namespaces", "seccomp", "landlock", "user")

import os
import signal


def attack(world):
    os.kill(-1, signal.SIGUSR1)
    return "sent"
