"""Starts thirty processes where it may have four."""

MUST = {"out_of_processes", "forbidden"}
WATCH = {"cause", "processes"}
LIMITS = {"processes": 4, "wall_seconds": 10.0}
LAYERS = ("cgroup", "user", "reaping")

import os
import time


def attack(world):
    for _ in range(30):
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)
    return "thirty processes"
