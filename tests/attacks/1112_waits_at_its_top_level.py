"""Waits while it is loaded, before anything is called."""

MUST = {"stalled"}
LIMITS = {"wall_seconds": 0.3}
LAYERS = ("engine",)

import signal

signal.pause()


def attack(world):
    return 1
