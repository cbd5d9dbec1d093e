"""Forks and ends, over and over, so that whoever kills it is always late."""

MUST = {"scored", "forbidden", "out_of_processes", "crashed", "stalled"}
OUTPUTS = ...
WATCH = {"processes"}
LIMITS = {"processes": 4, "wall_seconds": 5.0}
LAYERS = ("reaping",)

import os
import time


def attack(world):
    if os.fork() == 0:
        for _ in range(3000):
            os.setsid() if os.getsid(0) != os.getpid() else None
            if os.fork():
                os._exit(0)
            time.sleep(0.002)
        os._exit(0)
    return "hopping"
