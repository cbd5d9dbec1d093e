"""Ignores every signal that it may ignore, and sleeps."""

MUST = {"stalled"}
LIMITS = {"wall_seconds": 0.3}
WATCH = {"processes"}
LAYERS = ("engine",)

import signal
import time


def attack(world):
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    while True:
        time.sleep(3600)
