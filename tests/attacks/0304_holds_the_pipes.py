"""Ends at once, while a child holds the pipes that the engine reads."""

MUST = {"forbidden", "out_of_processes"}
WATCH = {"cause", "processes"}
LIMITS = {"wall_seconds": 5.0}
LAYERS = ("seccomp", "reaping")

import os
import time


def attack(world):
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
    os._exit(0)
