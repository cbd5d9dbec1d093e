"""Prints a character now and then, for ever."""

MUST = {"stalled"}
LIMITS = {"wall_seconds": 0.4}
LAYERS = ("engine",)

import sys
import time


def attack(world):
    while True:
        sys.stdout.write(".")
        sys.stdout.flush()
        time.sleep(0.01)
