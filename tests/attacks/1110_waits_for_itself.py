"""Waits for a lock that it holds."""

MUST = {"stalled"}
LIMITS = {"wall_seconds": 0.3}
LAYERS = ("engine",)

import threading


def attack(world):
    lock = threading.Lock()
    with lock, lock:
        return 1
