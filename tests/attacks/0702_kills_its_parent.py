"""Kills the process that it was forked from."""

MUST = {"forbidden", "crashed"}
WATCH = {"warm"}
LAYERS = ("seccomp", "landlock", "user")

import os
import signal


def attack(world):
    os.kill(os.getppid(), signal.SIGKILL)
    return "killed"
