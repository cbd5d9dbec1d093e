"""Stops itself, and waits to be continued."""

MUST = {"stalled", "forbidden", "crashed"}
LIMITS = {"wall_seconds": 0.4}
WATCH = {"processes"}
LAYERS = ("engine",)

import os
import signal


def attack(world):
    os.kill(os.getpid(), signal.SIGSTOP)
