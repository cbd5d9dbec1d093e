"""Stops the engine, which would wait for ever."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("namespaces", "seccomp", "landlock", "user")

import os
import signal


def attack(world):
    os.kill(world["engine"], signal.SIGSTOP)
    return "stopped"
