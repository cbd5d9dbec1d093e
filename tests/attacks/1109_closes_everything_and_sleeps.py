"""Closes every descriptor, so that nothing can be heard of it, and sleeps."""

MUST = {"crashed", "stalled"}
LIMITS = {"wall_seconds": 2.0}
WATCH = {"processes"}
LAYERS = ("engine",)

import os
import time


def attack(world):
    os.closerange(0, 64)
    time.sleep(3600)
