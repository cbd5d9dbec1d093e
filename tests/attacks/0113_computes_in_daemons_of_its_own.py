"""Has a child compute that it may have, outside of its session, beyond its CPU time."""

MUST = {"timed_out", "forbidden", "out_of_processes", "stalled"}
WATCH = {"processes"}
LIMITS = {"cpu_seconds": 0.4, "wall_seconds": 4.0, "processes": 4}
LAYERS = ("engine", "reaping")

import os
import time


def attack(world):
    if os.fork() == 0:
        os.setsid()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            pass
        os._exit(0)
    while True:
        time.sleep(1)
