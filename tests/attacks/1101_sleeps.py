"""Sleeps for an hour."""

MUST = {"stalled"}
LIMITS = {"wall_seconds": 0.3}
LAYERS = ("engine",)

import time


def attack(world):
    time.sleep(3600)
